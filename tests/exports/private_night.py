"""A night's private file made by hand: small, seeded, with every published table filled."""

import datetime as dt
import json
import random
from pathlib import Path

import duckdb

from exports.tables import EXPORTS

D = dt.date(2024, 6, 30)
RUN_ID = "a1b2c3d4e5f60718"
SCORE_TABLES = ("health_scores", "health_components", "churn_warnings")

TYPES = {
    "as_of_date": "date",
    "attributes": "varchar",
    "contact_count": "bigint",
    "drivers": "varchar",
    "horizon_days": "bigint",
    "month_start": "date",
    "fiscal_quarter": "varchar",
    "rank": "bigint",
    "term_months": "double",
    "quantity": "decimal(38, 10)",
    "window_months": "bigint",
    "north_star": "bigint",
    "formula": "varchar",
    "weight": "double",
    "value": "double",
    "new": "decimal(38, 10)",
    "due": "decimal(38, 10)",
    "lost_contact": "varchar",
    "nps": "double",
    "csat": "double",
    "login_trend": "varchar",
    "cohort_month": "date",
    "due_month": "date",
    "week_start": "date",
    "window_start": "date",
    "window_end": "date",
    "term_start": "date",
    "term_end": "date",
    "effective_end": "date",
    "opened_on": "date",
    "closed_on": "date",
    "csm_since": "date",
    "usage_state_since": "date",
    "expansion": "decimal(38, 10)",
    "contraction": "decimal(38, 10)",
    "churn": "decimal(38, 10)",
    "reactivation": "decimal(38, 10)",
    "late_renewal": "decimal(38, 10)",
    "currency_effect": "decimal(38, 10)",
    "amount": "decimal(38, 10)",
    "minutes_online": "double",
    "delivered": "bigint",
    "accepted": "bigint",
    "quarantined": "bigint",
    "duplicate": "bigint",
    "orphaned": "bigint",
    "freshness_hours": "double",
    "next_contact_is_renewal": "boolean",
    "fit_below_30": "boolean",
    "had_discount": "boolean",
    "coverage": "double",
    "n": "bigint",
    "contribution": "double",
    "stale_days": "bigint",
    "arr_at_stake": "decimal(38, 10)",
    "sequence": "bigint",
    "customer_share": "double",
    "probability": "double",
    "surprise": "double",
    "due_on": "date",
    "skipped_on": "date",
    "made_on": "date",
    "state_date": "date",
    "happened_on": "date",
    "rate": "double",
    "expected_arr": "decimal(38, 10)",
    "low": "double",
    "high": "double",
    "auc": "double",
    "events": "bigint",
    "delta": "double",
    "is_censored": "boolean",
    "recall_at_k": "double",
    "precision_at_k": "double",
    "lift_top_decile": "double",
    "north_star_value": "bigint",
    "warning_budget": "bigint",
    "weeks_before": "bigint",
    "lead_days_p50": "double",
    "p50_days": "double",
    "p90_days": "double",
    "health_coverage": "double",
}
ENDINGS = (
    ("_date", "date"),
    ("_at", "timestamptz"),
    ("_mrr", "decimal(38, 10)"),
    ("mrr", "decimal(38, 10)"),
    ("arr", "decimal(38, 10)"),
    ("_amount", "decimal(38, 10)"),
    ("_count", "bigint"),
    ("_days", "bigint"),
    ("_7d", "bigint"),
    ("_28d", "bigint"),
    ("_90d", "double"),
    ("_ratio", "double"),
    ("_share", "double"),
    ("_rate", "double"),
    ("_low", "double"),
    ("_high", "double"),
    ("_score", "double"),
    ("_probability", "double"),
    ("_pct", "double"),
    ("_online", "double"),
)


def column_type(name: str) -> str:
    """A plausible DuckDB type for a promised column, by its name."""
    if name in TYPES:
        return TYPES[name]
    if name.startswith(("is_", "has_")):
        return "boolean"
    if name.startswith(("days_", "seats_")):
        return "bigint"
    if name in ("grr", "nrr", "nrr_excluding_returns", "crr"):
        return "decimal(38, 10)"
    if name.startswith("renewed_by"):
        return "decimal(38, 10)"
    if name.startswith("trend_"):
        return "double"
    return next((found for ending, found in ENDINGS if name.endswith(ending)), "varchar")


def columns_of(names: list[str]) -> str:
    """The columns as a SQL list."""
    return ", ".join(f'"{name}"' for name in names)


def build_night(
    folder: Path,
    as_of_date: dt.date = D,
    run_id: str = RUN_ID,
    customers: int = 40,
    seed: int = 7,
    missing_table: str | None = None,
) -> tuple[Path, Path]:
    """Writes `night.duckdb` and `manifest.json` into the folder and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    build_file = folder / "night.duckdb"
    build_file.unlink(missing_ok=True)
    rows = _make_rows(as_of_date, run_id, customers, random.Random(seed))
    with duckdb.connect(str(build_file)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for schema in ("raw", "scores", "contract", "staging"):
            connection.execute(f"create schema {schema}")
        connection.execute(
            "create table raw.night as select $1::date as as_of_date, $2 as run_id,"
            " null::date as previous_night, 'test' as code_version, '1-abc' as rules_version,"
            " 'f00d' as input_fingerprint, false as is_reconstructed",
            [as_of_date, run_id],
        )
        for export in EXPORTS:
            if export.name == missing_table:
                continue
            schema = "main"
            if export.name in SCORE_TABLES:
                schema = "scores"
            if not export.is_file:
                connection.execute(
                    f"create table contract.{export.name} as"
                    " select 'c1' as customer_id, 1.5::double as hours"
                )
                continue
            names = [*export.key, *export.columns]
            columns = ", ".join(f'"{name}" {column_type(name)}' for name in names)
            connection.execute(f"create table {schema}.{export.name} ({columns})")
            found = rows.get(export.name, [])
            if found:
                lines = folder / "rows.jsonl"
                lines.write_text(
                    "\n".join(json.dumps(row, default=str) for row in found), encoding="utf-8"
                )
                types = ", ".join(f"'{name}': '{column_type(name)}'" for name in names)
                connection.execute(
                    f"insert into {schema}.{export.name} select {columns_of(names)} from read_json("
                    f"'{lines}', format = 'newline_delimited', columns = {{{types}}})"
                )
        for name in SCORE_TABLES:
            if name != missing_table:
                parquet = folder / f"{name}.parquet"
                connection.execute(f"copy scores.{name} to '{parquet}' (format parquet)")
                connection.execute(f"drop table scores.{name}")
                connection.execute(
                    f"create view scores.{name} as select * from read_parquet('{parquet}')"
                )
    return build_file, write_manifest(folder / "manifest.json")


def write_manifest(path: Path) -> Path:
    """A dbt manifest with a description of every table and promised column."""
    nodes = {
        f"model.customer_health.{export.name}": {
            "resource_type": "model",
            "name": export.name,
            "description": f"One row per grain of {export.name}; it's quoted.",
            "columns": {
                name: {"name": name, "description": f"The {name.replace('_', ' ')}."}
                for name in (*export.key, *export.columns)
            },
        }
        for export in EXPORTS
    }
    path.write_text(json.dumps({"nodes": nodes, "sources": {}}), encoding="utf-8")
    return path


def _months(start: dt.date, end: dt.date) -> list[dt.date]:
    months, month = [], start.replace(day=1)
    while month <= end:
        months.append(month)
        month = (month + dt.timedelta(days=32)).replace(day=1)
    return months


def _make_rows(
    as_of_date: dt.date, run_id: str, customers: int, chance: random.Random
) -> dict[str, list[dict[str, object]]]:
    csms = [("e1", "Ana Ruiz"), ("e2", "Bo Lind"), ("e3", "Chen Wei 陈伟")]
    states = [
        "high", "normal", "normal", "normal", "low", "declining", "dormant", "silent",
        "onboarding", "not_started", "resurrected", "unmeasured",
    ]  # fmt: skip
    names = ["Acme", "Borealis", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbour"]
    record: list[dict[str, object]] = []
    scores, components, warnings, terms, renewals = [], [], [], [], []
    usage, states_daily, transitions, mrr_monthly, movements = [], [], [], [], []
    for number in range(1, customers + 1):
        customer_id = f"c{number:03d}"
        csm_id, csm_name = csms[number % 3]
        state = chance.choice(states)
        mrr = chance.choice([90, 250, 640, 1200, 3100, 5200]) + number / 7
        due = as_of_date + dt.timedelta(days=chance.randint(5, 360))
        band = (
            "red" if state in ("silent", "dormant", "not_started")
            else "yellow" if state in ("low", "declining", "onboarding")
            else "unknown" if state == "unmeasured"
            else "green"
        )  # fmt: skip
        score = None if band == "unknown" else chance.uniform(20, 95)
        record.append(
            {
                "customer_id": customer_id,
                "customer_name": "=HYPERLINK(1)" if number == 1
                else f'{names[number % 8]} "{number}" GmbH, Köln',
                "as_of_date": as_of_date,
                "status": "renewed" if number % 4 else "formal",
                "segment": "-enterprise" if number == 2 else "midmarket",
                "csm_id": csm_id,
                "csm_name": csm_name,
                "mrr": mrr,
                "arr": 12 * mrr,
                "contracted_arr": 0,
                "currency": "EUR",
                "usage_state": state,
                "health_score": score,
                "health_band": band,
                "health_coverage": 0.75,
                "next_renewal_date": due,
                "onboarding_status": {4: "stuck", 6: "failed"}.get(number, "succeeded"),
                "lost_contact": "theirs" if number == 5 else "none",
                "next_contact_is_renewal": number % 2 == 0,
                "churn_probability": 1.5e-7 if number == 3 else 0.1,
                "open_warning_count": 1 if band == "red" else 0,
                "attributes": '{"plan": "x"}',
            }
        )  # fmt: skip
        scores.append(
            {
                "customer_id": customer_id,
                "as_of_date": as_of_date,
                "health_score": score,
                "health_band": band,
                "coverage": 0.75 if score else 0.4,
                "score_low": 10.0,
                "score_high": 98.0,
                "rules_version": "1-abc",
                "reason": f"Use is {state}: {chance.randint(0, 40)} users in 28 days.",
            }
        )
        for component, weight in (("usage_level", 25), ("support", 10), ("sentiment", 10)):
            components.append(
                {
                    "customer_id": customer_id,
                    "as_of_date": as_of_date,
                    "component": component,
                    "component_score": 50.0,
                    "weight": weight,
                    "is_applicable": component != "sentiment",
                    "is_measured": component == "usage_level",
                }
            )
        if band == "red":
            warnings.append(
                {
                    "warning_id": f"w{number:03d}",
                    "customer_id": customer_id,
                    "csm_id": csm_id if number % 5 else "unassigned",
                    "kind": "risk",
                    "opened_on": as_of_date - dt.timedelta(days=number),
                    "status": "ongoing",
                    "reason_code": chance.choice(["state_drop", "usage_down", "never_started"]),
                    "drivers": "[]",
                    "playbook": "win_back",
                    "due_date": as_of_date + dt.timedelta(days=7),
                    "due_arr": 12 * mrr,
                    "churn_probability": 0.31,
                    "expected_saved_arr": mrr,
                    "is_assumed": True,
                    "rank": number,
                    "is_within_budget": number % 7 != 0,
                    "is_urgent": number % 4 == 0,
                    "skipped_on": as_of_date if number % 3 == 0 else None,
                    "skipped_by": "e2" if number % 3 == 0 else None,
                    "skipped_reason": "they travel" if number % 3 == 0 else None,
                }
            )
        term = {
            "term_id": f"t{number:03d}", "customer_id": customer_id, "product_id": "pro",
            "product_kind": "version", "mrr": mrr, "term_months": 12.0,
            "term_start": due - dt.timedelta(days=365), "term_end": due, "effective_end": due,
            "is_trial": False, "is_lifetime": False,
        }  # fmt: skip
        terms.append(term)
        renewals.append(
            {
                "term_id": f"t{number:03d}", "customer_id": customer_id, "due_date": due,
                "due_arr": 12 * mrr, "outcome": "open" if number % 6 else "renewed_early",
            }
        )  # fmt: skip
        for back in range(30):
            date = as_of_date - dt.timedelta(days=back)
            usage.append(
                {
                    "customer_id": customer_id, "activity_date": date,
                    "active_user_count": chance.randint(0, 30), "wau_mau_ratio": chance.random(),
                    "active_user_count_7d": 30 - back,
                }
            )  # fmt: skip
            states_daily.append(
                {"customer_id": customer_id, "state_date": date, "state": state,
                 "days_in_state": 30 - back, "is_frozen": False}
            )  # fmt: skip
        transitions.append(
            {"customer_id": customer_id, "transition_date": as_of_date, "from_state": "normal",
             "to_state": state, "direction": "worsened", "arr": 12 * mrr}
        )  # fmt: skip
        for month in _months(as_of_date - dt.timedelta(days=700), as_of_date):
            mrr_monthly.append({"customer_id": customer_id, "month_start": month, "mrr": mrr})
        movements.append(
            {"customer_id": customer_id, "month_start": as_of_date.replace(day=1),
             "kind": "expansion", "cause": "quantity" if number % 2 else None, "amount": 10}
        )  # fmt: skip
    months = _months(as_of_date - dt.timedelta(days=700), as_of_date)
    bridge, closing = [], 20_000.0
    for month in months:
        new, expansion = chance.uniform(800, 3000), chance.uniform(100, 900)
        contraction, churn = -chance.uniform(50, 500), -chance.uniform(200, 1500)
        late = chance.choice([0, 0, 350])
        opening, closing = closing, closing + new + expansion + contraction + churn + late
        bridge.append(
            {"month_start": month, "opening_mrr": opening, "new": new, "reactivation": 0,
             "late_renewal": late, "expansion": expansion, "contraction": contraction,
             "churn": churn, "currency_effect": 0, "closing_mrr": closing}
        )  # fmt: skip
    ends = [month - dt.timedelta(days=1) for month in months[1:]] + [as_of_date]
    retention = [
        {
            "level": "account", "window_end": end, "window_months": window, "segment_by": "all",
            "segment": "all", "window_start": end - dt.timedelta(days=30 * window),
            "customer_count": 38, "opening_mrr": 40_000, "retained_mrr": 36_000,
            "closing_mrr": 42_000, "grr": round(0.84 + chance.random() / 10, 6),
            "nrr": round(0.97 + chance.random() / 8, 6), "crr": 0.9, "crr_low": 0.78,
            "crr_high": 0.96,
        }
        for end in ends
        for window in (1, 3, 12)
    ]  # fmt: skip
    monday = as_of_date - dt.timedelta(days=as_of_date.weekday() + 7 * 40)
    monday_before = as_of_date - dt.timedelta(days=as_of_date.weekday())
    weeks = [monday + dt.timedelta(days=7 * week) for week in range(41)]
    return {
        "customer_360": record,
        "health_scores": scores,
        "health_components": components,
        "churn_warnings": warnings,
        "customer_history": [
            {"customer_id": "c1", "valid_from": as_of_date, "status": "formal"}
        ],
        "score_report_card": [
            {"card": "customer", "method": "rules", "horizon_days": 90, "segment": "all",
             "population": "all", "n": 400, "events": 30, "is_in_force": True,
             "verdict": "The score helps to find losses 90 days ahead."}
        ],
        "subscription_terms": terms,
        "renewals": renewals,
        "renewal_cohorts": [
            {"due_month": month, "measure": "count", "term_class": "longer", "segment": "all",
             "due": 3, "renewed_by_0": 2, "is_mature": True}
            for month in months
        ],
        "usage_mix_daily": [
            {"state_date": as_of_date - dt.timedelta(days=7 * back), "usage_group": group,
             "customer_count": count, "customer_share": count / 40, "arr": 1000 * count}
            for back in range(3)
            for group, count in (("well", 20 + back), ("onboarding", 4), ("poor", 12 - back),
                                 ("not_started", 3), ("unmeasured", 1))
        ] + [{"state_date": as_of_date, "usage_group": "trial", "customer_count": 2}],
        "usage_transition_matrix": [
            {"week_start": monday_before, "from_state": before, "to_state": after,
             "customer_count": count, "opening_count": size, "probability": count / size,
             "expected_count": 1.0, "surprise": surprise}
            for before, after, count, size, surprise in (
                ("high", "high", 8, 9, 0.1), ("high", "dormant", 1, 9, 2.4),
                ("low", "low", 4, 4, 0.0), ("not_customer", "not_customer", 3, 3, 0.0))
        ],
        "north_star_renewal_link": [
            {"north_star_group": "reached", "n": 30, "renewal_rate": 0.9, "rate_low": 0.74,
             "rate_high": 0.97},
            {"north_star_group": "not_reached", "n": 10, "renewal_rate": 0.5, "rate_low": 0.24,
             "rate_high": 0.76},
        ],
        "renewal_forecast": [
            {"made_on": as_of_date.replace(day=1), "due_month": month, "segment": "all",
             "due_arr": 9000, "cohort_count": 12, "rate": 0.9, "expected_arr": 8100,
             "low": 7000.0, "high": 8900.0}
            for month in _months(as_of_date + dt.timedelta(days=31),
                                 as_of_date + dt.timedelta(days=340))
        ],
        "kpi_daily": [
            {"kpi_date": as_of_date - dt.timedelta(days=7 * back), "arr": 480_000 - 900 * back}
            for back in range(30)
        ],
        "csm_books": [
            {"csm_id": csm_id, "segment": "all", "csm_name": csm_name, "role": "csm",
             "customer_count": 13, "arr": 150_000, "due_arr_90d": 30_000, "at_risk_arr": 12_000,
             "load_ratio": load, "warning_budget": 5, "coverage_ratio": 0.9,
             "orphaned_customer_count": 0}
            for (csm_id, csm_name), load in zip(csms, (0.7, 1.2, 0.9), strict=True)
        ],
        "rule_audit": [
            {"finding_id": "f1", "rule": "service_without_payment", "severity": "high",
             "customer_id": "c001", "entity": "services", "entity_key": "s1",
             "happened_on": as_of_date, "arr_at_stake": 1500, "detail": "Nothing was paid."},
            {"finding_id": "f2", "rule": "action_beyond_role", "severity": "low",
             "entity": "access_log", "entity_key": "l1", "detail": "E1 did that."},
        ],
        "onboarding_progress": [
            {"customer_id": "c004", "round_no": 1, "step": "set_up", "sequence": 2,
             "due_on": as_of_date - dt.timedelta(days=12), "is_stuck": True}
        ],
        "onboarding_step_times": [
            {"step": "set_up", "segment": "all", "n": 30, "p50_days": 9.0, "p90_days": 21.0,
             "due_count": 31, "on_time_ratio": 0.6}
        ],
        "contact_coverage": [{"customer_id": "c005", "plan_days": 60}],
        "health_changes": [
            {"customer_id": "c001", "as_of_date": as_of_date, "part": "usage_level",
             "delta": -12.5, "sentence": "Usage level -12.5 points: 3 users instead of 9."}
        ],
        "customer_timeline": [
            {"entry_id": f"e{back}", "customer_id": "c001", "kind": "ticket_opened",
             "occurred_at": dt.datetime(2024, 6, 30, 9, tzinfo=dt.UTC) - dt.timedelta(days=back),
             "channel": "mail", "summary": "cannot log in"}
            for back in range(20)
        ] + [
            {"entry_id": f"c003-{kind}", "customer_id": "c003", "kind": kind,
             "occurred_at": dt.datetime(2024, 6, 1, 9, tzinfo=dt.UTC), "summary": summary}
            for kind, summary in (
                ("usage_worsened", "resurrected to not_started"),
                ("playbook_done", "usage_recovery: better"),
                ("onboarding_step_done", "go_live"),
                ("check_in", "asked for usage_recovery: to no avail"),
            )
        ],
        "customer_usage_daily": usage,
        "usage_states_daily": states_daily,
        "usage_transitions": transitions,
        "customer_mrr_monthly": mrr_monthly,
        "mrr_movements": movements,
        "mrr_bridge_monthly": bridge,
        "retention_monthly": retention,
        "north_star_weekly": [
            {"week_start": week, "north_star": 12 + number // 3 + chance.randint(0, 4),
             "new_count": 1, "retained_count": 20, "resurrected_count": 1, "lost_count": 2}
            for number, week in enumerate(weeks)
        ],
        "data_health": [
            {"entity": entity, "delivered": 1000, "accepted": 990, "quarantined": 7,
             "duplicate": 3, "orphaned": 0, "freshness_hours": hours,
             "latest_event_at": dt.datetime(2024, 6, 30, 12, tzinfo=dt.UTC),
             "status": "ok" if hours < 24 else "stale"}
            for entity, hours in (("customers", 3.0), ("orders", 2.0), ("product_events", 60.0))
        ] + [{"entity": "surveys", "delivered": 0, "status": "not_connected"}],
        "data_alarms": [
            {"alarm_id": "a1", "kind": "source_stale", "entity": "product_events",
             "opened_on": as_of_date, "detail": "-no file since 2024-06-28",
             "held_warning_count": 3}
        ],
        "metric_definitions": [
            {"metric": "mrr", "formula": "sum of terms' mrr", "version": "1", "owner": "finance"}
        ],
        "calendar": [
            {"calendar_date": as_of_date - dt.timedelta(days=back), "is_working_day": True,
             "week_start": as_of_date, "month_start": as_of_date.replace(day=1),
             "fiscal_quarter": "2024-Q2"}
            for back in range(60)
        ],
        "runs": [
            {"run_id": run_id, "as_of_date": as_of_date, "code_version": "test",
             "rules_version": "1-abc", "input_fingerprint": "f00d", "is_reconstructed": False}
        ],
    }  # fmt: skip
