"""What the page says, read from the published file: plain rows, no layout."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from exports.private_file import literal

Row = dict[str, Any]

PAYING_STATUSES = ("formal", "renewed", "lapsed", "pay_as_you_go")

# The groups of the usage mix, best first; trials and prospects stand apart.
USAGE_GROUPS = {
    "well": ("high", "normal", "resurrected"),
    "starting": ("onboarding",),
    "poor": ("low", "declining", "dormant", "silent"),
    "not started": ("not_started",),
    "not measured": ("unmeasured",),
}

QUEUE_ROWS = 300
"""More open warnings than this stand in churn_warnings.csv only."""


@dataclass(frozen=True)
class PageFacts:
    """Everything on the page. Rows are dicts by column name; None is "not measured"."""

    run_id: str
    as_of_date: dt.date
    is_reconstructed: bool
    rules_version: str | None
    verdict: str | None
    totals: Row
    bands: list[Row]
    coverage: Row
    unconnected: list[Row]
    alarms: list[Row]
    sources: list[Row]
    queue: list[Row]
    queue_left_out: int
    upsell: list[Row]
    usage_states: list[Row]
    paying_count: int
    north_star: list[Row]
    bridge: list[Row]
    retention_now: list[Row]
    retention_history: list[Row]
    renewals_due: list[Row]


def read_page_facts(database: Path) -> PageFacts:
    """Reads the page's facts from the published (or nearly published) DuckDB file."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {literal(database)} as published (read_only)")
        connection.execute("use published")
        return _read(connection)


def _read(connection: duckdb.DuckDBPyConnection) -> PageFacts:
    run = _rows(
        connection,
        """select run_id, as_of_date, is_reconstructed, rules_version from runs
        where run_id = (select max(run_id) from customer_360)""",
    )[0]
    as_of_date: dt.date = run["as_of_date"]
    paying = ", ".join(f"'{status}'" for status in PAYING_STATUSES)
    warnings = _rows(
        connection,
        f"""select
            warnings.customer_id, customer_name, warnings.kind, warnings.reason_code,
            warnings.playbook, warnings.opened_on, warnings.status, warnings.due_date,
            warnings.due_arr,
            warnings.churn_probability, warnings.expected_saved_arr, warnings.is_assumed,
            warnings.rank, warnings.is_within_budget, warnings.drivers, customer_360.health_score,
            customer_360.health_band, customer_360.usage_state, health_scores.reason,
            coalesce(customer_360.csm_name, warnings.csm_id, 'unassigned') as csm
        from churn_warnings as warnings
        left join customer_360 using (customer_id)
        left join health_scores on health_scores.customer_id = warnings.customer_id
            and health_scores.as_of_date = date '{as_of_date}'
        where warnings.closed_on is null
        order by warnings.rank nulls last, warnings.due_arr desc nulls last, warning_id""",
    )
    risks = [row for row in warnings if row["kind"] == "risk"]
    states = _rows(
        connection,
        f"""select usage_state, count(*) as customer_count, sum(arr) as arr
        from customer_360 where status in ({paying})
        group by usage_state order by usage_state nulls last""",
    )
    return PageFacts(
        run_id=run["run_id"],
        as_of_date=as_of_date,
        is_reconstructed=bool(run["is_reconstructed"]),
        rules_version=run["rules_version"],
        verdict=read_verdict(connection),
        totals=_rows(
            connection,
            f"""select
                count(*) as customer_count,
                count(*) filter (where status in ({paying})) as paying_count,
                count(*) filter (where mrr > 0) as subscribed_count,
                sum(mrr) as mrr, sum(arr) as arr, sum(contracted_arr) as contracted_arr
            from customer_360""",
        )[0],
        bands=_rows(
            connection,
            """select health_band, count(*) as customer_count, sum(arr) as arr from customer_360
            where health_band is not null group by health_band
            order by case health_band when 'red' then 1 when 'yellow' then 2
                when 'green' then 3 else 4 end""",
        ),
        coverage=_rows(
            connection,
            f"""select count(*) as customer_count,
                avg(cast(coverage as decimal(18, 6))) as coverage,
                count(*) filter (where health_score is null) as unscored_count
            from health_scores where as_of_date = date '{as_of_date}'""",
        )[0],
        unconnected=_rows(
            connection,
            f"""select component, max(weight) as weight from health_components
            where as_of_date = date '{as_of_date}'
            group by component having not coalesce(bool_or(is_applicable), false)
            order by component""",
        ),
        alarms=_rows(
            connection,
            """select kind, entity, opened_on, detail, held_warning_count from data_alarms
            order by opened_on desc, entity nulls last, alarm_id""",
        ),
        sources=_rows(
            connection,
            """select entity, delivered, accepted, quarantined, duplicate, orphaned,
                latest_event_at, freshness_hours, status
            from data_health order by entity""",
        ),
        queue=risks[:QUEUE_ROWS],
        queue_left_out=max(0, len(risks) - QUEUE_ROWS),
        upsell=[row for row in warnings if row["kind"] == "upsell"][:20],
        usage_states=states,
        paying_count=sum(row["customer_count"] for row in states),
        north_star=_rows(
            connection,
            f"""select week_start, north_star, new_count, retained_count, resurrected_count,
                lost_count
            from north_star_weekly where week_start + interval 7 day <= date '{as_of_date}'
                + interval 1 day
            order by week_start desc limit 52""",
        )[::-1],
        bridge=_rows(
            connection,
            f"""select * from mrr_bridge_monthly
            where month_start <= date '{as_of_date}' order by month_start desc limit 12""",
        )[::-1],
        retention_now=_rows(
            connection,
            f"""select * from retention_monthly
            where level = 'account' and segment_by = 'all' and window_end <= date '{as_of_date}'
            qualify window_end = max(window_end) over (partition by window_months)
            order by window_months""",
        ),
        retention_history=_rows(
            connection,
            f"""select window_end, grr, nrr, customer_count from retention_monthly
            where level = 'account' and segment_by = 'all' and window_months = 12
                and window_end <= date '{as_of_date}' and grr is not null
            order by window_end desc limit 24""",
        )[::-1],
        renewals_due=_rows(
            connection,
            f"""select cast(date_trunc('month', due_date) as date) as due_month,
                outcome = 'open' as is_open, count(*) as term_count, sum(due_arr) as due_arr
            from renewals
            where due_date > date '{as_of_date}'
                and due_date <= date '{as_of_date}' + interval 12 month
                and outcome not in ('lifetime', 'churned')
            group by all order by all""",
        ),
    )


def read_verdict(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Whether the score beats the best baseline at finding losses 90 days ahead, in words."""
    rows = _rows(
        connection,
        """select verdict from score_report_card
        where card = 'customer' and is_in_force and horizon_days = 90
            and segment = 'all' and population = 'all'""",
    )
    return rows[0]["verdict"] if rows else None


def group_of(usage_state: str | None) -> str:
    """The usage group of a state; a state of no group (trial, not customer) is not measured."""
    for group, states in USAGE_GROUPS.items():
        if usage_state in states:
            return group
    return "not measured"


def total(rows: list[Row], column: str) -> Decimal:
    """The sum of a column over rows; what is not measured adds nothing."""
    return sum((Decimal(row[column]) for row in rows if row[column] is not None), Decimal(0))


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    result = connection.execute(query)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, values, strict=True)) for values in result.fetchall()]
