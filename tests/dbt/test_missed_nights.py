"""Ten nights missed and one run hold the same facts as ten nights.

That both land the same is proved at the front door; here are the facts made of it, over the cache
that the nights before left.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import duckdb
import pytest

from ingest.contracts import ENTITIES, EVENTS
from tests.dbt.random_companies import DAY, Company
from tests.warehouse import compiled_manifest, run_models

NIGHTS = [DAY + dt.timedelta(days=number) for number in range(1, 11)]
Rows = list[dict[str, Any]]


def models(*folders: str, materialized: str) -> list[str]:
    return [
        node["name"]
        for node in compiled_manifest()["nodes"].values()
        if node["resource_type"] == "model"
        and node["fqn"][1] in folders
        and node["config"]["materialized"] == materialized
    ]


def uses(company: Company, night: dt.date, chance: random.Random) -> Rows:
    """A night's file of events; every third event comes late, by up to two months."""
    days_late = [chance.choice((0, 0, chance.randint(1, 60))) for _ in range(8)]
    return [
        {
            "occurred_at": f"{night - dt.timedelta(days=days)}T{chance.randint(0, 21):02}:15:00Z",
            "tenant_id": f"tenants-{company.number}-{chance.randrange(3)}",
            "user_id": f"u{chance.randrange(5)}",
            "event_name": chance.choice(("login", "used")),
            "feature": f"feature-{company.number}-{chance.randrange(3)}",
            "_known_at": f"{night}T22:00:00Z",
            "_batch_id": f"{EVENTS}-{company.number}-{night}",
        }
        for days in days_late
    ]


class Landed:
    """Rows and batches of some companies: a first load, news of every entity, events each night."""

    def __init__(self, seeds: range) -> None:
        chance = random.Random(20240331)
        self.batches: Rows = []
        self.rows: dict[str, Rows] = {entity: [] for entity in ENTITIES}
        for company in (Company(seed, seed) for seed in seeds):
            self.batches += company.batches()
            for entity in ENTITIES:
                self.rows[entity] += company.rows[entity]
                how = chance.choice(("inserted", "changed", "deleted"))
                rows, batch = company.learn(entity, how, random.Random(chance.random()))
                self.rows[entity] += rows
                self.batches.append(batch)
            for night in NIGHTS:
                self.rows[EVENTS] += uses(company, night, chance)
                known_at, number = f"{night}T22:00:00Z", company.number
                self.batches.append(
                    company.batches()[0]
                    | {"batch_id": f"{EVENTS}-{number}-{night}", "entity": EVENTS}
                    | {"known_at": known_at, "batch_order": 2, "is_first_load": False}
                )

    def by(self, night: dt.date) -> tuple[dict[str, Rows], Rows]:
        """What has been delivered by the end of a night."""
        batches = [batch for batch in self.batches if batch["known_at"][:10] <= str(night)]
        names = {batch["batch_id"] for batch in batches}
        rows = {
            entity: [row for row in rows if row["_batch_id"] in names]
            for entity, rows in self.rows.items()
        }
        return rows, batches


def run_nights(
    landed: Landed, nights: list[dt.date], facts: list[str]
) -> duckdb.DuckDBPyConnection:
    """The first night and these; only the last of them makes more than what is kept for it."""
    kept = models("intermediate", materialized="incremental")
    connection, before = None, None
    for night in (DAY, *nights):
        rows, batches = landed.by(night)
        connection = run_models(
            rows,
            night,
            facts if night == nights[-1] else kept,
            batches=batches,
            connection=connection,
            previous_night=before and str(before),
        )
        before = night
    assert connection is not None
    return connection


@pytest.mark.xdist_group("dbt")
def test_ten_nights_missed_and_one_run_hold_the_facts_of_ten_nights() -> None:
    landed, facts = Landed(range(3)), models("marts", "contract", materialized="table")
    nightly = run_nights(landed, NIGHTS, facts)
    missed = run_nights(landed, NIGHTS[-1:], facts)

    def rows_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
        # Last night stands beside tonight in the signals, and last night was another one.
        is_last_night = f"as_of_date in ('{NIGHTS[-2]}', '{DAY}')"
        condition = f"where not {is_last_night}" if table.endswith(".customer_signals") else ""
        return connection.execute(f"from {table} {condition} order by all").fetchall()

    tables = nightly.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = 'night' and schema_name in ('main', 'contract')"
    ).fetchall()
    assert len(tables) == len(facts)
    differ = [table for (table,) in tables if rows_of(nightly, table) != rows_of(missed, table)]
    assert differ == []
    assert len(rows_of(nightly, "customer_usage_daily")) > 1000
