"""Night after night equals a full rebuild, bit for bit: the roll-up and what is counted from it."""

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
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dagster_project.settings import Definitions, States, StateThresholds
from tests.warehouse import DBT, load_night, load_raw, run_compiled, run_models

ROLL_UPS = (
    "int_user_days_rolled_up",
    "int_tenant_days_rolled_up",
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


def test_half_a_million_events_are_rolled_up_in_64_megabytes_beside_them() -> None:
    """A join that is built on the events, and not on what is joined to them, needs far more."""
    few = {"a": random_events(random.Random(1), 200)}
    connection = run_models(
        as_raw(few, ["documents"]), DAY, ["stg_logins__product_events"], batches=listed(few)
    )
    connection.execute(
        """
        insert into raw.product_events
        select events.* replace (occurred_at + to_seconds(copy) as occurred_at)
        from raw.product_events as events cross join range(2500) as copies(copy)
        """
    )
    held = connection.execute("select sum(memory_usage_bytes) from duckdb_memory()").fetchall()
    limit = held[0][0] + 64 * 2**20
    connection.execute(
        f"set memory_limit = '{limit}B'; set max_temp_directory_size = '0KB'; set threads = 2"
    )

    run_compiled(connection, ROLL_UPS)

    counted = connection.execute(
        "select sum(event_count) from cache.intermediate.int_user_days_rolled_up"
    ).fetchall()
    assert counted == [(200 * 2501,)]


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
    numbers = "select hash(batch_id) from unnest($1) as batches(batch_id)"
    numbered = duckdb.execute(numbers, [list(after)]).fetchall()
    assert {batch_no for _, batch_no, *_ in rolled_up[ROLL_UPS[0]]} == {no for (no,) in numbered}

    # Another feature became core: what was rolled up before is rolled up anew.
    open_night(night, after, ["documents", "sharing"])
    run_dbt(tmp_path, *both)
    assert read_roll_ups(cache) == roll_up_in_one_go(after, ["documents", "sharing"])


COUNTED = (
    "int_use_days_counted",
    "int_use_weeks_learnt",
    "int_use_counted_at_dates",
    "int_use_levels_at_dates",
    "int_company_days_counted",
    "int_feed_days_counted",
)
COMPARED = (
    *(f"cache.intermediate.{name}" for name in (*ROLL_UPS, *COUNTED)),
    "customer_usage_daily",
    "usage_states_daily",
    "intermediate.int_customers_use_at_dates",
    "feature_adoption",
    "kpi_daily",
)
BATCHES = tuple("abcde")
# Not a first load: it tells from when on a tenant is a customer's.
TENANTS_LANDED = {
    "batch_id": "tenants-1",
    "entity": "tenants",
    "source": "test",
    "delivery": "changes",
    "known_at": "2024-01-01T00:00:00Z",
    "batch_order": 1,
    "is_first_load": False,
}
# Days around the windows' ends are more likely than chance would have them.
days = st.one_of(st.integers(0, 70), st.sampled_from([0, 6, 7, 27, 28, 29, 55, 56]))
event = st.fixed_dictionaries(
    {
        "_batch_id": st.sampled_from(BATCHES),
        "day": days,
        "late": st.sampled_from([0, 0, 0, 1, 9, 40]),
        "tenant_id": st.sampled_from(["t1", "t2", "t3"]),
        "customer_id": st.sampled_from([None, None, "c2"]),
        "user_id": st.sampled_from(["u1", "u2", "u3", None]),
        "event_name": st.sampled_from(["login", "write", "sign"]),
    }
)
# What a night finds: batches that are active, whose the tenants are and since when, whether c2
# became c1, their segment, which features are core and in which days they may use one of them, and
# whether a week was one of holidays.
night = st.fixed_dictionaries(
    {
        "day": st.integers(20, 120),
        "batches": st.sets(st.sampled_from(BATCHES), min_size=1),
        "tenants": st.dictionaries(
            st.sampled_from(["t1", "t2", "t3"]), st.sampled_from(["c1", "c2"])
        ),
        "assigned_on": st.sampled_from([0, 15]),
        "is_merged": st.booleans(),
        "segment": st.sampled_from(["slow", "fast"]),
        "core": st.sampled_from([["write"], ["write", "sign"]]),
        "entitled": st.sampled_from([(0, 366), (30, 366), (30, 50)]),
        "has_holidays": st.booleans(),
    }
)
# Short memories, so that so few days have outages, levels and trends.
DEFINITIONS = Definitions(
    states=States(
        segments={"fast": StateThresholds(level_weeks=2, best_median_weeks=3)},
        outage_baseline_weeks=2,
        outage_min_tenants=1,
        trend_weeks=3,
        trend_min_working_days=1,
    )
)


def raw_of(night: dict[str, Any], events: Events) -> dict[str, Events]:
    """What has landed by a night of the story."""
    first = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
    happened = [
        {key: value for key, value in event.items() if key not in {"day", "late"} and value}
        | {
            "occurred_at": first + dt.timedelta(days=event["day"], seconds=number % 5),
            "_known_at": first + dt.timedelta(days=event["day"] + event["late"]),
            "feature": event["event_name"] if event["event_name"] != "login" else None,
        }
        for number, event in enumerate(events)
        if event["_batch_id"] in night["batches"]
    ]
    term = {"term_start": "2024-01-01", "term_end": "2025-01-01", "mrr": 100, "currency": "EUR"}
    merged = {"merged_into_customer_id": "c1"} if night["is_merged"] else {}
    segment = {"segment": night["segment"]}
    entitled = [(first + dt.timedelta(days=day)).date() for day in night["entitled"]]
    return {
        "customers": [{"customer_id": "c1"} | segment, {"customer_id": "c2"} | segment | merged],
        "subscriptions": [
            term | {"subscription_id": f"s-{customer}", "customer_id": customer, "product_id": "p"}
            for customer in ("c1", "c2")
        ],
        "products": [{"product_id": "p", "name": "p", "kind": "version"}],
        "feature_entitlements": [
            {
                "product_id": "p",
                "feature": "write",
                "valid_from": entitled[0],
                "valid_to": entitled[1],
            }
        ],
        "features": [
            {"feature": feature, "is_core": feature in night["core"]}
            for feature in ("write", "sign")
        ],
        "tenants": [
            {
                "tenant_id": tenant,
                "customer_id": customer,
                "_known_at": first + dt.timedelta(days=night["assigned_on"]),
            }
            for tenant, customer in night["tenants"].items()
        ],
        "product_events": happened,
    }


def run_night(
    night: dict[str, Any], events: Events, connection: duckdb.DuckDBPyConnection | None = None
) -> duckdb.DuckDBPyConnection:
    """A night over what the nights before left in the cache, or over an empty one."""
    return run_models(
        raw_of(night, events),
        dt.date(2024, 1, 1) + dt.timedelta(days=night["day"]),
        [name.rpartition(".")[2] for name in COMPARED],
        definitions=DEFINITIONS,
        batches=[*listed({name: [] for name in night["batches"]}), TENANTS_LANDED],
        holidays={f"2024-01-{day}": "Holiday" for day in range(15, 20 * night["has_holidays"])},
        connection=connection,
    )


def rows_of(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: connection.execute(f"select * from {name} order by all").fetchall()
        for name in COMPARED
    }


@settings(
    max_examples=6,
    phases=(Phase.explicit, Phase.generate),
)
@given(st.lists(event, min_size=1, max_size=60), st.lists(night, min_size=2, max_size=4))
def test_nights_in_any_order_leave_what_the_last_alone_would(
    events: Events, nights: list[dict[str, Any]]
) -> None:
    """Batches come, go and come late; tenants are assigned and moved, customers merged, what they
    may use changes; a night may be of an earlier day than the one before it."""
    connection = None
    for one_night in nights:
        connection = run_night(one_night, events, connection)
    assert connection is not None
    assert rows_of(connection) == rows_of(run_night(nights[-1], events))


NIGHT = {
    "day": 62,
    "batches": {"a"},
    "tenants": {"t1": "c1"},
    "assigned_on": 0,
    "is_merged": False,
    "segment": "slow",
    "core": ["write"],
    "entitled": (0, 366),
    "has_holidays": False,
}


@pytest.mark.parametrize(
    "change",
    [
        {"assigned_on": 15},
        {"segment": "fast"},
        {"has_holidays": True},
        {"core": ["write", "sign"]},
        {"entitled": (30, 50)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_night_that_finds_one_thing_changed_counts_anew(change: dict[str, Any]) -> None:
    uses = {"_batch_id": "a", "late": 0, "tenant_id": "t1", "customer_id": None}
    events = [
        uses | {"day": day, "user_id": f"u{user}", "event_name": ("login", "write", "sign")[user]}
        for day in range(60)
        for user in range(1 + day // 7 % 3)
    ]
    connection = run_night(NIGHT | change, events, run_night(NIGHT, events))
    assert rows_of(connection) == rows_of(run_night(NIGHT | change, events))
