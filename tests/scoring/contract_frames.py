"""Small contract tables for the tests of scoring: a healthy customer, changed by the story."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from scoring.signals import OPTIONAL_SIGNALS, TABLES, TYPES

NIGHT = date(2024, 3, 12)
ENTITIES = [
    "customers",
    "contacts",
    "employees",
    "ownerships",
    "interactions",
    "messages",
    "csm_assessments",
    "onboarding_steps",
    "tickets",
    "surveys",
    "orders",
    "order_lines",
    "subscriptions",
    "payments",
    "services",
    "service_usage",
    "product_events",
    "product_events.user_id",
]
CONNECTED = frozenset(ENTITIES)

HEALTHY: dict[str, Any] = {
    "customer_id": "a",
    "as_of_date": NIGHT,
    "known_on": NIGHT,
    "segment": "smb",
    "tier": "standard",
    "status": "renewed",
    "csm_id": "ann",
    "tenure_days": 500,
    "mrr": 1000.0,
    "arr": 12000.0,
    "mrr_90d_ago": 1000.0,
    "due_arr_12m": 12000.0,
    "next_renewal_date": NIGHT + timedelta(days=200),
    "days_to_renewal": 200,
    "last_outcome": "renewed_early",
    "usage_state": "normal",
    "usage_state_before": "onboarding",
    "usage_state_since": NIGHT - timedelta(days=300),
    "days_since_last_use": 0,
    "active_user_count_7d": 20,
    "active_user_count_28d": 42,
    "active_user_count_28d_before": 42,
    "usage_level_ratio": 1.0,
    "login_trend_slope": 0.01,
    "login_ratio": 0.7,
    "seats_bought": 60.0,
    "core_breadth_ratio": 0.8,
    "core_depth_per_week": 9.0,
    "is_used_without_value": False,
    "value_week_count_28d": 4,
    "has_use_ever": True,
    "days_without_first_use": None,
    "onboarding_status": "succeeded",
    "onboarding_days": 500,
    "onboarding_on_time_ratio": 1.0,
    "days_since_our_contact": 10,
    "days_since_their_contact": 12,
    "plan_days": 30,
    "contact_age_ratio": 10 / 30,
    "has_champion_left": False,
    "has_owner": True,
    "renewal_talk_started_date": None,
    "open_ticket_count": 1,
    "unanswered_ticket_count": 0,
    "oldest_unanswered_days": None,
    "ticket_count_90d": 2,
    "ticket_csat_180d": 5.0,
    "nps_score": 9.0,
    "csat_score": None,
    "survey_age_days": 20,
    "csm_view": "green",
    "overdue_amount": 0.0,
    "overdue_days": 0,
    "mrr_change_ratio_90d": 1.0,
    "days_to_exhaustion": None,
    "usage_stale_days": 0,
    "crm_stale_days": 0,
    "orders_stale_days": 0,
}


def customer(customer_id: str = "a", on: date = NIGHT, **changes: Any) -> dict[str, Any]:
    """A row of customer_signals: the healthy customer with changes."""
    return {**HEALTHY, "customer_id": customer_id, "as_of_date": on, "known_on": on, **changes}


def frame(table: str, rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a typed contract table; columns not given are null."""
    columns = TABLES[table]
    wild = {
        name: pl.Float64() if kind in ("number", "money") else TYPES[kind]
        for name, kind in columns.items()
    }
    full = [{name: row.get(name) for name in columns} for row in rows]
    raw = pl.DataFrame(full, schema=wild, orient="row")
    return raw.cast({name: TYPES[kind] for name, kind in columns.items()})


def signals(*rows: dict[str, Any]) -> pl.DataFrame:
    """customer_signals, with the optional columns null where not given."""
    optional = [
        pl.Series(name, [row.get(name) for row in rows], dtype=TYPES[kind])
        for name, kind in OPTIONAL_SIGNALS.items()
    ]
    return frame("customer_signals", rows).with_columns(optional)


def write_contract(
    folder: Path,
    rows: Iterable[dict[str, Any]],
    on: date = NIGHT,
    connected: Iterable[str] = ENTITIES,
    **tables: Iterable[dict[str, Any]],
) -> Path:
    """A whole contract folder of a night."""
    folder.mkdir(parents=True, exist_ok=True)
    given: dict[str, Iterable[dict[str, Any]]] = {
        "customer_signals": rows,
        "night": [{"as_of_date": on, "run_id": "r"}],
        "connections": [{"entity": e, "is_connected": e in set(connected)} for e in ENTITIES],
        **tables,
    }
    for table in TABLES:
        told = given.get(table, ())
        made = signals(*told) if table == "customer_signals" else frame(table, told)
        made.write_parquet(folder / f"{table}.parquet")
    return folder
