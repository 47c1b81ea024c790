"""What the metrics layer answers is what the marts say."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import (
    parse_manifest_from_dbt_generated_manifest,
)
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from dagster_project.dbt_manifest import parse_if_stale
from dagster_project.settings import Definitions
from tests.dbt.contract_histories import History
from tests.warehouse import DBT, compiled_project, run_models

Query = Callable[..., list[tuple[Any, ...]]]

NIGHT = dt.date(2024, 11, 17)
MODELS = (
    *("calendar", "customer_mrr_monthly", "retention_monthly", "retention_customers_monthly"),
    *("renewals", "renewal_cohorts", "kpi_daily", "customer_usage_daily", "metric_definitions"),
    *("north_star_weekly", "north_star_customers_weekly"),
)


class WritesDuckDb:
    """All that MetricFlow has to know of an engine to write SQL for it."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()


@pytest.fixture(scope="module")
def engine() -> MetricFlowEngine:
    text = (compiled_project() / "semantic_manifest.json").read_text(encoding="utf-8")
    lookup = SemanticManifestLookup(parse_manifest_from_dbt_generated_manifest(text))
    return MetricFlowEngine(lookup, WritesDuckDb())


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    """Twelve customers with random contracts, six of whom use the product."""
    events = [
        {
            "occurred_at": f"{NIGHT - dt.timedelta(days=back)}T09:00:00+00:00",
            "customer_id": f"c{number}",
            "user_id": f"c{number}-u{back % (number + 1)}",
            "event_name": "report_sent",
        }
        for number in range(6)
        for back in range(number, 100, number + 2)
    ]
    connection = run_models(
        History(seed=3).rows | {"product_events": events},
        NIGHT,
        MODELS,
        definitions=Definitions.model_validate({"use": {"value_events": ["report_sent"]}}),
    )
    connection.execute(
        "create table main.customer_360 as select customer_id, 'FR' as country"
        " from (select distinct customer_id from customer_mrr_monthly)"
    )
    return connection


@pytest.fixture(scope="module")
def query(engine: MetricFlowEngine, warehouse: duckdb.DuckDBPyConnection) -> Query:
    """Rows of `mf query --metrics … --group-by …`, in the order of the groups."""

    def run_query(metrics: list[str], group_by: list[str]) -> list[tuple[Any, ...]]:
        request = MetricFlowQueryRequest.create(
            metric_names=metrics, group_by_names=group_by, order_by_names=group_by
        )
        return warehouse.execute(engine.explain(request).sql_statement.sql).fetchall()

    return run_query


def rows(warehouse: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return warehouse.execute(sql).fetchall()


def equal(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> bool:
    """The same rows: days as moments, ratios to nine places."""
    assert expected
    return [tuple(map(_plain, row)) for row in found] == [tuple(map(_near, r)) for r in expected]


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.strftime("%Y-%m-%d")
    return float(value) if isinstance(value, Decimal) else value


def _near(value: Any) -> Any:
    plain = _plain(value)
    return pytest.approx(plain, abs=1e-9) if isinstance(plain, float) else plain


def test_mrr_and_arr_are_those_of_the_customers_months(query, warehouse):
    assert equal(
        query(["mrr", "arr"], ["metric_time__month"]),
        rows(
            warehouse,
            """select month_start, sum(mrr), 12 * sum(mrr) from customer_mrr_monthly
            group by month_start order by month_start""",
        ),
    )


def test_mrr_of_a_quarter_is_that_of_its_last_month(query, warehouse):
    assert equal(
        query(["mrr"], ["metric_time__quarter"]),
        rows(
            warehouse,
            """select date_trunc('quarter', month_start) as quarter_start, sum(mrr)
            from customer_mrr_monthly
            where month_start in (
                select max(month_start) from customer_mrr_monthly
                group by date_trunc('quarter', month_start)
            )
            group by quarter_start order by quarter_start""",
        ),
    )


def test_retention_is_the_ratio_of_sums_over_twelve_months(query, warehouse):
    assert equal(
        query(["grr", "nrr"], ["metric_time__month"]),
        rows(
            warehouse,
            """select date_trunc('month', window_end), grr, nrr from retention_monthly
            where level = 'account' and segment_by = 'all' and window_months = 12
            order by window_end""",
        ),
    )


def test_renewal_rates_are_those_of_the_mature_cohorts(query, warehouse):
    mature = rows(
        warehouse,
        """select due_month, counted.gross_rate, paid.gross_rate, paid.net_rate
        from renewal_cohorts as counted
        inner join renewal_cohorts as paid using (due_month, term_class, segment)
        where
            counted.measure = 'count' and paid.measure = 'money' and counted.is_mature
            and term_class = 'all' and segment = 'all'
        order by due_month""",
    )
    months = {_plain(month) for month, *_ in mature}
    found = query(
        ["renewal_rate", "gross_renewal_rate", "net_renewal_rate"], ["metric_time__month"]
    )
    assert equal([row for row in found if _plain(row[0]) in months], mature)


def test_the_north_star_is_that_of_the_weeks(query, warehouse):
    assert equal(
        query(["north_star"], ["metric_time__week"]),
        rows(warehouse, "select week_start, north_star from north_star_weekly order by week_start"),
    )


def test_active_users_are_those_of_the_days(query, warehouse):
    days = "select kpi_date, dau, wau, mau from kpi_daily order by kpi_date"
    assert equal(query(["dau", "wau", "mau"], ["metric_time__day"]), rows(warehouse, days))
    customers = """select activity_date, sum(active_user_count_7d), sum(active_user_count_28d)
        from customer_usage_daily group by activity_date order by activity_date"""
    assert equal(
        query(["active_user_count_7d", "active_user_count_28d"], ["metric_time__day"]),
        rows(warehouse, customers),
    )


def test_a_metric_can_be_split_by_what_customers_are_tonight(query, warehouse):
    assert equal(
        query(["mrr"], ["customer__country"]),
        rows(
            warehouse,
            """select country, sum(mrr)
            from customer_mrr_monthly inner join customer_360 using (customer_id)
            where month_start = (select max(month_start) from customer_mrr_monthly)
            group by country order by country""",
        ),
    )


def test_a_metric_means_what_metric_definitions_says(engine, warehouse):
    formulas = dict(rows(warehouse, "select metric, formula from metric_definitions"))
    manifest = json.loads((compiled_project() / "manifest.json").read_text(encoding="utf-8"))
    described = {metric["name"]: metric["description"] for metric in manifest["metrics"].values()}
    assert {"mrr", "arr", "grr", "nrr", "north_star", "renewal_rate", "mau"} <= set(described)
    assert [
        name
        for name, description in described.items()
        if not description.startswith(formulas.get(name, "")) or not description
    ] == []


def test_mf_asks_the_published_file(warehouse, tmp_path):
    """As a person does: `mf query` in dbt/, the profile's target `published`."""
    parse_if_stale()
    file, answer = tmp_path / "current.duckdb", tmp_path / "answer.csv"
    warehouse.execute(f"attach '{file}' as published")
    for table in ("calendar", "retention_customers_monthly"):
        warehouse.execute(f"create table published.{table} as from main.{table}")
    warehouse.execute("detach published")
    environment = os.environ | {
        "DBT_PROFILES_DIR": str(DBT),
        "CUSTOMER_HEALTH_TARGET": "published",
        "CUSTOMER_HEALTH_PUBLISHED": str(file),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    subprocess.run(
        [
            *(Path(sys.executable).parent / "mf", "query", "--metrics", "grr,nrr"),
            *("--group-by", "metric_time__month", "--order", "metric_time__month"),
            *("--csv", answer),
        ],
        cwd=DBT,
        env=environment,
        check=True,
        capture_output=True,
    )
    last = rows(
        warehouse,
        """select grr, nrr from retention_monthly
        where level = 'account' and segment_by = 'all' and window_months = 12
        order by window_end desc limit 1""",
    )
    with answer.open(encoding="utf-8") as file_read:
        assert equal([tuple(map(float, list(csv.reader(file_read))[-1][1:]))], last)


def test_ratios_stand_apart_from_models():
    """Written into a model, dbt 1.12 finds them twice when it parses the file again."""
    manifest = json.loads((compiled_project() / "manifest.json").read_text(encoding="utf-8"))
    assert {
        metric["original_file_path"]
        for metric in manifest["metrics"].values()
        if metric["type"] != "simple"
    } == {"models/marts/money/_money__metrics.yml"}
