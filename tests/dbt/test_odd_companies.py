"""Companies that are tiny, young or hardly connected: every table, test and export of a night.

The compiled SQL of all models and data tests, the scoring and the publication, without Dagster and
the door.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.dbt_manifest import MANIFEST
from dagster_project.warehouse import CONTRACT_TABLES, SCORE_TABLES
from exports.audit import AuditRefused
from exports.config import Company, ExportsConfig
from exports.publication import PublicationReport, publish_night
from scoring.config import load_rules
from scoring.night import score_night
from scoring.summary import ScoreReport
from tests.warehouse import Rows, compiled_manifest, run_compiled, run_models

NIGHT = dt.date(2026, 6, 30)
ACME = {"customer_id": "acme", "product_id": "basic", "mrr": 100, "term_start": "2026-01-01"}
RUNNING = [ACME | {"subscription_id": "s1", "term_end": "2027-01-01"}]
GONE = [
    ACME | {"subscription_id": f"s{n}", "customer_id": f"c{n}", "term_end": "2026-02-01"}
    for n in range(3)
]
EVENTS = [
    {
        "occurred_at": f"2026-06-{day:02d}T09:00:00Z",
        "customer_id": "acme",
        "user_id": "u1",
        "event_name": "login",
    }
    for day in range(1, 31)
]
CUSTOMERS = [{"customer_id": "acme", "name": "Acme", "created_at": "2025-12-01T00:00:00Z"}]
BOUGHT_TODAY = [ACME | {"subscription_id": "s1", "term_start": "2026-06-30", "term_end": None}]
CREDITS = [
    ACME | {"subscription_id": "s2", "mrr": -20, "term_end": "2027-01-01"},
    ACME | {"subscription_id": "s3", "customer_id": "beta", "mrr": -20, "term_end": "2027-01-01"},
]
ORDER = {"customer_id": "acme", "kind": "formal", "currency": "EUR", "ordered_at": "2026-06-01"}
CANCELLED = ORDER | {"status": "cancelled", "approved_at": "2026-06-01T09:00:00Z"}
MUGS = {"product_id": "mug", "unit_price": 5}
RETURNS: dict[str, Rows] = {
    "orders": [
        ORDER | {"order_id": "o0", "status": "approved"},
        CANCELLED | {"order_id": "o1"},
        CANCELLED | {"order_id": "o2"},
    ],
    "order_lines": [
        MUGS | {"order_line_id": "l0", "order_id": "o0", "quantity": 4, "amount": 20},
        MUGS | {"order_line_id": "l1", "order_id": "o1", "quantity": -1, "amount": -5},
        MUGS | {"order_line_id": "l2", "order_id": "o2", "quantity": 2, "amount": 10},
        MUGS | {"order_line_id": "l3", "order_id": "o2", "quantity": -3, "amount": -15},
    ],
    "products": [{"product_id": "mug", "name": "Mug", "kind": "one_time"}],
}
# Orders that say they were cancelled or refunded and not when, as many systems do.
YEAR = {"product_id": "basic", "quantity": 1, "unit_price": 1200, "amount": 1200}
YEAR |= {"term_start": "2026-07-01", "term_end": "2027-07-01", "_known_at": "2026-06-02T00:00:00Z"}
UNDATED_ENDS: dict[str, Rows] = {
    "subscriptions": RUNNING,
    "orders": [
        CANCELLED | {"order_id": "o1"},
        CANCELLED | {"order_id": "o2", "status": "refunded"},
    ],
    "order_lines": [
        YEAR | {"order_line_id": "l1", "order_id": "o1"},
        YEAR | {"order_line_id": "l2", "order_id": "o2"},
    ],
}
CHANGED_THEN_CANCELLED: dict[str, Rows] = {
    "subscriptions": [RUNNING[0] | {"cancelled_at": "2026-05-01T00:00:00Z"}],
    "adjustments": [
        {
            "adjustment_id": "a1",
            "author": "ana",
            "reason": "wrong price",
            "dated_on": "2026-02-01",
            "entity": "subscriptions",
            "entity_key": "s1",
            "column": "mrr",
            "value": "80",
        }
    ],
}
OWNERS = [{"customer_id": "beta", "role": "csm", "employee_id": "e1", "valid_from": "2026-01-01"}]

# What each company brings, and how many customers are scored.
STORIES: dict[str, tuple[dict[str, Rows], int]] = {
    "one subscription and nothing else": ({"subscriptions": RUNNING}, 1),
    "use without a CRM": ({"subscriptions": RUNNING, "product_events": EVENTS}, 1),
    "everybody has left": ({"subscriptions": GONE, "product_events": EVENTS}, 0),
    "a CRM in which nobody has bought": ({"customers": CUSTOMERS}, 0),
    "the first customer bought today": ({"subscriptions": BOUGHT_TODAY}, 1),
    "credits over a term": ({"subscriptions": RUNNING + CREDITS}, 1),
    "returns of what was bought once": (RETURNS, 0),
    "ends of orders without their day": (UNDATED_ENDS, 1),
    "a line put right before it was cancelled": (CHANGED_THEN_CANCELLED, 0),
    "a payer whom nobody looks after": ({"subscriptions": RUNNING, "ownerships": OWNERS}, 1),
}


def whole_night(raw: dict[str, Rows], home: Path) -> tuple[ScoreReport, PublicationReport]:
    """All tables of a night, its scores and its publication; every data test has passed."""
    nodes = compiled_manifest()["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model"]
    reports = [node["name"] for node in models if "reports" in node["tags"]]
    facts = [node["name"] for node in models if "reports" not in node["tags"]]
    connection = run_models(raw, NIGHT, facts)

    contract = home / "contract"
    contract.mkdir()
    relations = {table: f"night.contract.{table}" for table in CONTRACT_TABLES}
    for table, relation in (relations | {"night": "raw.night"}).items():
        connection.execute(f"copy (from {relation}) to '{contract}/{table}.parquet'")
    scored = score_night(contract, home, load_rules(), NIGHT, "test-run")
    for table in SCORE_TABLES:
        connection.execute(
            f"create view scores.{table} as from read_parquet('{scored.folder}/{table}.parquet')"
        )
    run_compiled(connection, [*facts, *reports])
    assert failed_tests(connection) == []

    connection.execute(f"attach '{home}/night.duckdb' as file; copy from database night to file")
    connection.close()
    published = publish_night(
        home / "night.duckdb",
        MANIFEST,
        home,
        ExportsConfig(),
        Company("Odd", "EUR", "UTC", "en"),
        check=lambda connection, relations: [],
    )
    return scored, published


def failed_tests(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    """Data tests that find rows, with their first."""
    failed = []
    for node in compiled_manifest()["nodes"].values():
        if node["resource_type"] == "test" and node["config"]["severity"].lower() == "error":
            found = connection.execute(node["compiled_code"]).fetchone()
            if found is not None:
                failed.append((node["name"], found))
    return failed


@pytest.mark.parametrize("story", STORIES)
def test_every_table_is_made_and_published(story: str, tmp_path: Path):
    raw, customer_count = STORIES[story]
    scored, published = whole_night(raw, tmp_path)
    assert scored.customer_count == customer_count
    assert scored.verdict
    assert published.row_counts["health_scores"] == customer_count
    assert "<main" in published.dashboard.read_text(encoding="utf-8")


def test_a_night_to_which_nothing_came_is_refused(tmp_path: Path):
    with pytest.raises(AuditRefused, match="customer_360: is empty and may not be"):
        whole_night({}, tmp_path)
    assert not (tmp_path / "published" / "current.duckdb").exists()
