"""The roll-up of events through dbt itself: incremental equals a full rebuild, bit for bit."""

from __future__ import annotations

import datetime as dt
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.warehouse import DBT, load_night, load_raw

ROLL_UPS = ("int_user_days_rolled_up", "int_core_feature_days_rolled_up")
Events = list[dict[str, Any]]


def random_events(chance: random.Random, count: int) -> Events:
    first = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    return [
        {
            "occurred_at": (moment := first + dt.timedelta(minutes=chance.randrange(60_000))),
            "tenant_id": chance.choice(["t1", "t2"]),
            "user_id": chance.choice(["u1", "u2", "u3"]),
            "event_name": "used",
            "feature": chance.choice(["documents", "sharing", "search"]),
            "duration_seconds": chance.choice([30, 45, 60]),
            "_known_at": moment + dt.timedelta(days=chance.choice([0, 0, 0, 5])),
        }
        for _ in range(count)
    ]


def open_night(path: Path, batches: dict[str, Events], core: list[str]) -> None:
    """A night's private file with these active batches."""
    features = [
        {"feature": feature, "is_core": feature in core}
        for feature in ("documents", "sharing", "search")
    ]
    events = [row | {"_batch_id": batch} for batch, rows in batches.items() for row in rows]
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone='UTC'; create schema raw")
        day = dt.date(2024, 1, 20)
        load_raw(connection, {"product_events": events, "features": features}, day, "UTC", [])
        load_night(connection, day, "UTC", None)


def run_dbt(folder: Path, night: Path, cache: Path, *selected: str) -> None:
    command = [
        *(str(Path(sys.executable).parent / "dbt"), "--quiet", "run"),
        *("--project-dir", str(DBT), "--target-path", str(folder / "target")),
        *("--log-path", str(folder / "logs"), "--select", *selected),
    ]
    environment = os.environ | {
        "DBT_PROFILES_DIR": str(DBT),
        "DO_NOT_TRACK": "1",
        "CUSTOMER_HEALTH_BUILD": str(night),
        "CUSTOMER_HEALTH_CACHE": str(cache),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def read_roll_ups(cache: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(cache), read_only=True) as connection:
        return {
            name: connection.execute(
                f"select * from intermediate.{name} order by all"
            ).fetchall()
            for name in ROLL_UPS
        }


@pytest.mark.xdist_group("dbt")
def test_batches_in_any_order_replaced_or_interrupted_roll_up_as_in_one_go(
    tmp_path: Path,
) -> None:
    chance = random.Random(20240120)
    batches = {name: random_events(chance, 40) for name in ("a", "b", "c", "d", "e")}
    batches["without-use"] = []
    replaced = chance.choice(["a", "b"])
    kept = [name for name in batches if name != replaced]
    chance.shuffle(kept)
    parents = [f"+{name}" for name in ROLL_UPS]
    cache = tmp_path / "cache.duckdb"

    def night(name: str, active: list[str], core: list[str]) -> Path:
        path = tmp_path / f"{name}.duckdb"
        open_night(path, {batch: batches[batch] for batch in active}, core)
        return path

    first = night("first", [replaced, *kept[:2]], ["documents", "sharing"])
    run_dbt(tmp_path, first, cache, *parents)
    # The second night was killed when one of the two roll-ups was done, then run again. A batch
    # was replaced meanwhile, others came, and a feature is no longer core.
    second = night("second", kept, ["documents"])
    run_dbt(tmp_path, second, cache, f"+{ROLL_UPS[0]}")
    run_dbt(tmp_path, second, cache, *parents)
    incremental = read_roll_ups(cache)

    in_one_go = night("in_one_go", sorted(kept, reverse=True), ["documents"])
    run_dbt(tmp_path, in_one_go, tmp_path / "fresh.duckdb", *parents)
    assert incremental == read_roll_ups(tmp_path / "fresh.duckdb")
    assert {row[1] for row in incremental[ROLL_UPS[0]]} == {batch for batch in kept if batches[batch]}
