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

from tests.warehouse import DBT, load_night, load_raw, run_models

ROLL_UPS = (
    "int_user_days_rolled_up",
    "int_feature_days_rolled_up",
    "int_tenant_feature_days_rolled_up",
)
Events = list[dict[str, Any]]
DAY = dt.date(2024, 1, 20)


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


def as_raw(batches: dict[str, Events], core: list[str]) -> dict[str, Events]:
    return {
        "product_events": [
            row | {"_batch_id": batch} for batch, rows in batches.items() for row in rows
        ],
        "features": [
            {"feature": feature, "is_core": feature in core}
            for feature in ("documents", "sharing", "search")
        ],
    }


def listed(batches: dict[str, Events]) -> Events:
    return [{"batch_id": batch, "entity": "product_events", "source": "test"} for batch in batches]


def open_night(path: Path, batches: dict[str, Events], core: list[str]) -> None:
    """A fresh private file with these active batches."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set timezone='UTC'; create schema raw")
        load_raw(connection, as_raw(batches, core), DAY, "UTC", listed(batches))
        load_night(connection, DAY, "UTC", None)


def run_dbt(folder: Path, *selected: str) -> None:
    command = [
        *(str(Path(sys.executable).parent / "dbt"), "--quiet", "run"),
        *("--project-dir", str(DBT), "--target-path", str(folder / "target")),
        *("--log-path", str(folder / "logs"), "--select", *selected),
    ]
    environment = os.environ | {
        "DBT_PROFILES_DIR": str(DBT),
        "DO_NOT_TRACK": "1",
        "CUSTOMER_HEALTH_BUILD": str(folder / "night.duckdb"),
        "CUSTOMER_HEALTH_CACHE": str(folder / "cache.duckdb"),
    }
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def read_roll_ups(cache: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(cache), read_only=True) as connection:
        return {
            name: connection.execute(f"select * from intermediate.{name} order by all").fetchall()
            for name in ROLL_UPS
        }


def roll_up_in_one_go(
    batches: dict[str, Events], core: list[str]
) -> dict[str, list[tuple[Any, ...]]]:
    connection = run_models(as_raw(batches, core), DAY, ROLL_UPS, batches=listed(batches))
    return {
        name: connection.execute(f"select * from cache.intermediate.{name} order by all").fetchall()
        for name in ROLL_UPS
    }


@pytest.mark.xdist_group("dbt")
def test_batches_in_any_order_replaced_or_interrupted_roll_up_as_in_one_go(
    tmp_path: Path,
) -> None:
    chance = random.Random(20240120)
    landed = {name: random_events(chance, 40) for name in ("a", "b", "c", "d", "e")}
    landed["without use"] = []
    order = list(landed)
    chance.shuffle(order)
    before = {name: landed[name] for name in order[:3]}
    # Then the first batch was replaced, and the others came.
    after = {name: landed[name] for name in order[1:]}
    night, cache = tmp_path / "night.duckdb", tmp_path / "cache.duckdb"
    both = [f"+{name}" for name in ROLL_UPS]

    open_night(night, before, ["documents"])
    run_dbt(tmp_path, *both)
    open_night(night, after, ["documents"])
    # The second night was killed when one of the roll-ups was done, and run again.
    run_dbt(tmp_path, both[0])
    run_dbt(tmp_path, *both)
    rolled_up = read_roll_ups(cache)
    assert rolled_up == roll_up_in_one_go(after, ["documents"])
    assert {row[1] for row in rolled_up[ROLL_UPS[0]]} == set(after)

    # Another feature became core: what was rolled up before is rolled up anew.
    open_night(night, after, ["documents", "sharing"])
    run_dbt(tmp_path, *both)
    assert read_roll_ups(cache) == roll_up_in_one_go(after, ["documents", "sharing"])
