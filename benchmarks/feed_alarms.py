"""False and missed volume alarms: `python -m benchmarks.feed_alarms [feeds] [first seed]`.

Every feed is a year of user-days of its own seed, judged by the project's models as they stand.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator

import duckdb
import holidays
import numpy as np
import polars as pl

from tests.warehouse import compiled_manifest, run_models

FIRST = dt.date(2024, 1, 1)
LEARNT = 140  # days before the first day that is judged: 8 weeks of usual, 12 of noise
DAYS = LEARNT + 365
USERS = 8
GERMAN = holidays.country_holidays("DE", years=[2024, 2025])
HOLIDAYS = {str(day): name for day, name in GERMAN.items()}
WEEKDAYS = (0.38, 0.40, 0.40, 0.39, 0.33, 0.03, 0.02)
FAULTS = ("dropped", "doubled", "late")
MODELS = (
    "int_use_dates_digested",
    "int_feed_days_counted",
    "int_feed_days_judged",
    "int_feed_volumes_judged",
)


def simulate(seed: int, fault: str | None, tenants: int) -> tuple[pl.DataFrame, list[dt.date]]:
    """User-days of a feed, and the days on which the fault was planted (every third week)."""
    chance = np.random.default_rng(seed)
    days = [FIRST + dt.timedelta(days=offset) for offset in range(DAYS)]
    # A tenant's own mood from week to week, one for all from day to day, growth over the year.
    share = np.array([0.02 if str(day) in HOLIDAYS else WEEKDAYS[day.weekday()] for day in days])
    share = share * np.exp(chance.normal(0, 0.03, DAYS)) * np.linspace(0.8, 1, DAYS)
    moods = np.exp(chance.normal(0, 0.15, (DAYS // 7 + 1, tenants)))[np.arange(DAYS) // 7]
    active = chance.random((DAYS, tenants, USERS)) < (share[:, None] * moods)[:, :, None]
    day_no, tenant_no, user_no = np.nonzero(active)
    events = 1 + chance.poisson(1.2, len(day_no))
    repeated, late = np.zeros_like(events), np.zeros_like(events)
    planted = list(_workdays_every_third_week(chance, days)) if fault else []
    hit = np.isin(day_no, [(day - FIRST).days for day in planted])
    if fault == "dropped":
        events = np.where(hit, chance.binomial(events, 0.7), events)
    elif fault == "doubled":
        repeated = np.where(hit, chance.binomial(events, 0.1), 0)
        events = events + repeated
    elif fault == "late":
        late = hit.astype(int)
    frame = pl.DataFrame(
        {"day": day_no, "tenant": tenant_no, "user": user_no}
        | {"event_count": events, "repeated_event_count": repeated, "late": late}
    )
    return frame.filter(pl.col("event_count") > 0), planted


def _workdays_every_third_week(
    chance: np.random.Generator, days: list[dt.date]
) -> Iterator[dt.date]:
    for start in range(LEARNT, DAYS - 7, 21):
        week = [day for day in days[start : start + 7] if day.weekday() < 5]
        workdays = [day for day in week if str(day) not in HOLIDAYS]
        yield workdays[chance.integers(len(workdays))]


def judge(feeds: dict[str, pl.DataFrame]) -> dict[str, set[dt.date]]:
    """Days after the learning with a volume alarm or an outage, per feed."""
    last = FIRST + dt.timedelta(days=DAYS - 1)
    batches = [{"batch_id": name, "entity": "product_events", "source": name} for name in feeds]
    event = {"occurred_at": f"{FIRST}T12:00:00Z", "tenant_id": "t", "event_name": "login"}
    connection = run_models(
        {"product_events": [event]}, last, MODELS, holidays=HOLIDAYS, batches=batches
    )
    for name, frame in feeds.items():
        _load(connection, name, frame)
    nodes = compiled_manifest()["nodes"]
    for model in MODELS:
        node = nodes[f"model.customer_health.{model}"]
        connection.execute(
            f"create or replace table {node['relation_name']} as {node['compiled_code']}"
        )
    found = connection.execute(
        """
        select feed, activity_date from intermediate.int_feed_volumes_judged
        where anomaly is not null
        """
    ).fetchall()
    first_judged = FIRST + dt.timedelta(days=LEARNT)
    alarms: dict[str, set[dt.date]] = {name: set() for name in feeds}
    for name, day in found:
        if name in alarms and day >= first_judged:
            alarms[name].add(day)
    return alarms


def _load(connection: duckdb.DuckDBPyConnection, feed: str, frame: pl.DataFrame) -> None:
    connection.register("frame", frame.to_arrow())
    connection.execute(
        """
        create or replace temp table user_days as
        select
            hash($feed) as batch_no, 't' || tenant as tenant_id,
            't' || tenant || '-' || "user" as user_id, $first::date + day::integer as activity_date,
            $first::date + (day + late)::integer as known_date, event_count, repeated_event_count
        from frame
        """,
        {"feed": feed, "first": FIRST},
    )
    connection.execute("""
        insert into cache.intermediate.int_user_days_rolled_up by name
        select * exclude (repeated_event_count) from user_days
    """)
    connection.execute("""
        insert into cache.intermediate.int_tenant_days_rolled_up by name
        select
            batch_no, tenant_id, activity_date, known_date, sum(event_count) as event_count,
            sum(repeated_event_count) as repeated_event_count
        from user_days group by all
    """)
    connection.unregister("frame")


def measure(seeds: range, tenants: int) -> dict[str, float]:
    """False alarms per clean feed and year (mean, most), share of planted faults found."""
    feeds, planted = {}, {}
    for seed in seeds:
        for fault in (None, *FAULTS):
            name = f"{fault or 'clean'}-{seed}"
            feeds[name], planted[name] = simulate(seed, fault, tenants)
    alarms = judge(feeds)
    false = [len(alarms[f"clean-{seed}"]) for seed in seeds]
    figures = {"false_mean": float(np.mean(false)), "false_most": float(max(false))}
    for fault in FAULTS:
        days = [(f"{fault}-{seed}", day) for seed in seeds for day in planted[f"{fault}-{seed}"]]
        figures[fault] = float(np.mean([day in alarms[name] for name, day in days]))
    return figures


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for tenants in (50, 100, 200):
        figures = measure(range(first, first + count), tenants)
        print(tenants, *(f"{name} {figure:.3f}" for name, figure in figures.items()))
