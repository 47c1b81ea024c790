"""Events that come late for last night are a part of the change of their own."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.warehouse import CONTRACT_TABLES
from scoring.config import load_rules
from scoring.memory import append_said
from scoring.night import score_night
from tests.dbt.test_contract_signals import subscription
from tests.warehouse import run_models

SUNDAY = date(2024, 6, 30)
MONDAY = date(2024, 7, 1)
LAST_WEEK = date(2024, 6, 24)
WEEKS_BEFORE = [LAST_WEEK - timedelta(weeks=weeks) for weeks in range(1, 11)]


def night(home: Path, on: date, before: date | None, events: list[dict[str, Any]]) -> Path:
    """A night of the compiled SQL and of scoring, said; the folder of what it said."""
    raw = {
        "subscriptions": [subscription(1, "2024-01-01", "2025-01-01", 100)],
        "product_events": events,
    }
    # Everything delivers every day, so that nothing is stale.
    batches = [
        {
            "batch_id": f"{entity}-{number}",
            "entity": entity,
            "source": "test",
            "delivery": "changes",
            "delivered_on": str(day),
            "known_at": f"{day}T08:00:00Z",
            "batch_order": number,
        }
        for entity in raw
        for number, day in enumerate((SUNDAY, MONDAY), start=1)
        if day <= on
    ]
    connection = run_models(
        raw, on, CONTRACT_TABLES, batches=batches, previous_night=str(before) if before else None
    )
    contract = home / "contract"
    contract.mkdir(exist_ok=True)
    relations = {table: f"night.contract.{table}" for table in CONTRACT_TABLES}
    for table, relation in (relations | {"night": "raw.night"}).items():
        connection.execute(f"copy (from {relation}) to '{contract}/{table}.parquet'")
    report = score_night(contract, home, load_rules(), on, f"run-{on}")
    append_said(home, on, f"run-{on}")
    return report.folder


def used(user: str, day: date, known_on: date | None = None) -> dict[str, Any]:
    at = {"occurred_at": f"{day}T10:00:00Z", "_known_at": f"{known_on or day}T10:00:00Z"}
    return {"customer_id": "a", "user_id": user, "event_name": "login"} | at


def test_late_events_for_last_night_are_told_as_late_data(tmp_path):
    # Three users every week; of the last one's, two became known the night after.
    events = [used(user, day) for day in WEEKS_BEFORE for user in "uvw"]
    events.append(used("u", LAST_WEEK))
    late = [used(user, LAST_WEEK, known_on=MONDAY) for user in "vw"]

    sunday = night(tmp_path, SUNDAY, None, events)
    monday = night(tmp_path, MONDAY, SUNDAY, [*events, *late])

    score = [pl.read_parquet(f / "health_scores.parquet")["health_score"] for f in (sunday, monday)]
    ledger = pl.read_parquet(monday / "health_changes.parquet")
    parts = dict(ledger.select("part", "delta").iter_rows())
    assert parts["late_data"] > 1.0
    assert sum(parts.values()) == pytest.approx(score[1].item() - score[0].item(), abs=1e-9)
    assert "Data that came late make the score of 2024-06-30" in " ".join(ledger["sentence"])


def test_without_late_data_there_is_no_such_part(tmp_path):
    events = [used(user, day) for day in (*WEEKS_BEFORE, LAST_WEEK) for user in "uvw"]
    night(tmp_path, SUNDAY, None, events)
    monday = night(tmp_path, MONDAY, SUNDAY, events)
    ledger = pl.read_parquet(monday / "health_changes.parquet")
    assert "late_data" not in ledger["part"].to_list()
