"""A night of scoring, with its report card, on contract tables made for the purpose.

    python -m benchmarks.scored_night [--customers 10000] [--weeks 104]

Customers are drawn with a weakness; weak ones are used less and are lost sooner. Prints rows, wall
and CPU seconds of the first night and of the night after, and the peak memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from scoring.config import load_rules
from scoring.memory import append_said
from scoring.night import score_night
from scoring.signals import KEYS, TABLES, TYPES

NIGHT = date(2024, 6, 30)
ENTITIES = [
    *("customers", "contacts", "ownerships", "interactions", "tickets", "surveys", "orders"),
    *("order_lines", "payments", "onboarding_steps", "product_events", "csm_assessments"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--weeks", type=int, default=104)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for night in (NIGHT, NIGHT + timedelta(days=1)):
            contract = home / "contract"
            rows = write_company(contract, night, options.customers, options.weeks)
            wall, cpu = time.perf_counter(), time.process_time()
            report = score_night(contract, home, load_rules(), night, f"run-{night}")
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            append_said(home, night, f"run-{night}")
            print(f"{night}: {rows:,} rows, {report.customer_count:,} customers scored, ", end="")
            print(f"{sum(report.warning_counts.values()):,} warnings, {report.loss_count} losses: ")
            print(f"  {wall:.1f} s wall, {cpu:.1f} s CPU")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"peak memory {peak:.1f} GiB")


def write_company(folder: Path, night: date, customers: int, weeks: int) -> int:
    """The contract tables of a night; returns the rows of customer_signals."""
    dice = np.random.default_rng(7)
    sunday = night - timedelta(days=night.isoweekday() % 7)
    past = [sunday - timedelta(weeks=week) for week in range(weeks)]
    dates = sorted({night, *past})
    weakness = np.tile(dice.beta(2, 4, customers), len(dates))
    place = np.tile(np.arange(customers), len(dates))
    # From its loss on a customer has no MRR and no row.
    lost_on = np.floor(dice.exponential(4000.0, customers) * (1.2 - weakness[:customers]) ** 2)
    day = np.repeat([(d - dates[0]).days for d in dates], customers)
    is_there = day < lost_on[place]
    weak = np.clip(weakness + dice.normal(0, 0.1, len(place)), 0, 1)[is_there]
    place, day = place[is_there], day[is_there]
    users = np.maximum(np.round(30 * (1 - weak)), 0).astype(int)
    told = pl.DataFrame({"place": place, "day": day}).select(
        customer_id=pl.format("c{}", pl.col("place").cast(pl.String).str.zfill(6)),
        as_of_date=pl.lit(dates[0]) + pl.duration(days="day"),
        segment=pl.when(pl.col("place") % 3 == 0).then(pl.lit("mid")).otherwise(pl.lit("small")),
        csm_id=pl.format("e{}", pl.col("place") % 100),
        tenure_days=pl.col("day") + 30,
        days_to_renewal=365 - (pl.col("day") + pl.col("place")) % 365,
        mrr=pl.lit(100.0),
        arr=pl.lit(1200.0),
        due_arr_12m=pl.lit(1200.0),
        mrr_change_ratio_90d=pl.lit(1.0),
        plan_days=pl.lit(60),
        has_use_ever=pl.lit(True),
        days_without_first_use=pl.lit(None, pl.Int64),
        has_owner=pl.lit(True),
        has_champion_left=pl.Series(weak > 0.85),
        usage_state=pl.Series(np.where(weak > 0.7, "dormant", "normal")),
        usage_state_before=pl.lit("normal"),
        usage_level_ratio=pl.Series(1 - weak),
        login_trend_slope=pl.Series(dice.normal(0, 0.05, len(weak))),
        core_breadth_ratio=pl.Series(1 - weak),
        core_depth_per_week=pl.Series(8 * (1 - weak)),
        contact_age_ratio=pl.Series(3 * weak),
        nps_score=pl.Series(np.round(10 * (1 - weak))),
        days_since_last_use=pl.Series(np.round(30 * weak).astype(int)),
        active_user_count_28d=pl.Series(users),
        active_user_count_28d_before=pl.Series(users + 1),
        days_since_our_contact=pl.Series(np.round(90 * weak).astype(int)),
        days_since_their_contact=pl.Series(np.round(120 * weak).astype(int)),
        overdue_days=pl.Series(np.where(weak > 0.9, 40, 0)),
        usage_stale_days=pl.lit(0),
        crm_stale_days=pl.lit(0),
        orders_stale_days=pl.lit(0),
    )
    told = told.with_columns(
        known_on="as_of_date",
        usage_state_since=pl.col("as_of_date") - pl.duration(days=10),
        next_renewal_date=pl.col("as_of_date") + pl.duration(days="days_to_renewal"),
    )
    losses = pl.DataFrame({"place": np.arange(customers), "day": lost_on.astype(int)}).select(
        customer_id=pl.format("c{}", pl.col("place").cast(pl.String).str.zfill(6)),
        kind=pl.lit("mrr_loss"),
        outcome_date=pl.lit(dates[0]) + pl.duration(days="day"),
        outcome=pl.lit("churned"),
        arr=pl.lit(1200.0),
        is_provisional=pl.lit(False),
    )
    losses = losses.with_columns(known_on=pl.col("outcome_date") + pl.duration(days=30)).filter(
        pl.col("known_on") <= night
    )
    renewals = losses.with_columns(kind=pl.lit("renewal"), term_id=pl.col("customer_id"))
    renewals = renewals.with_columns(term_months=pl.lit(12.0))
    tables = {
        "customer_signals": told,
        "customer_outcomes": pl.concat(
            [losses.with_columns(term_id=pl.lit("")), renewals], how="diagonal"
        ),
        "csm_capacity": pl.DataFrame(),
        "playbook_responses": pl.DataFrame(),
        "night": pl.DataFrame({"as_of_date": [night], "run_id": [f"run-{night}"]}),
        "connections": pl.DataFrame({"entity": ENTITIES, "is_connected": [True] * len(ENTITIES)}),
    }
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        whole = _complete(name, table)
        whole.sort(KEYS[name]).write_parquet(folder / f"{name}.parquet")
    return told.height


def _complete(name: str, table: pl.DataFrame) -> pl.DataFrame:
    """The table with every column of its contract; those not made are not measured."""
    missing = [
        pl.lit(None, TYPES[kind]).alias(column)
        for column, kind in TABLES[name].items()
        if column not in table.columns
    ]
    typed = {column: TYPES[kind] for column, kind in TABLES[name].items()}
    found = table.with_columns(missing) if table.width else pl.DataFrame(schema=typed)
    return found.cast(pl.Schema(typed))


if __name__ == "__main__":
    main()
