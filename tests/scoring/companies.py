"""A company of many customers over many weeks, as contract tables, by its own loss of customers."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from scoring.config import Rules
from scoring.history import History, score_history
from tests.scoring.contract_frames import CONNECTED, NIGHT, customer, frame, signals

# A Sunday, so that weekly dates end on the night itself.
LAST_SUNDAY = NIGHT - timedelta(days=NIGHT.isoweekday() % 7)


def grow_company(
    customers: int = 60,
    weeks: int = 104,
    *,
    signal: float = 1.0,
    hazard: float = 0.02,
    seed: int = 1,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """customer_signals as known then, and customer_outcomes, of a company with renewals.

    Every customer has a weakness; the weekly hazard of leaving grows with it by `signal`, and a
    weak customer is used less. Who leaves is followed by a new one under another id.
    """
    dice = np.random.default_rng(seed)
    dates = [LAST_SUNDAY - timedelta(weeks=week) for week in reversed(range(weeks))]
    weakness = dice.random(customers)
    names = [f"c{i:04}" for i in range(customers)]
    started = [dates[0] - timedelta(days=int(d)) for d in dice.integers(0, 700, customers)]
    rows: list[tuple[str, date, float, int]] = []
    outcomes = []
    for day in dates:
        leaves = dice.random(customers) < hazard * np.exp(signal * 4.0 * (weakness - 0.5))
        for i in range(customers):
            rows.append((names[i], day, weakness[i], (day - started[i]).days))
            if leaves[i]:
                lost_on = day + timedelta(days=3)
                outcomes.append(loss(names[i], lost_on))
                outcomes.append(renewal(names[i], lost_on, "churned"))
                names[i] = f"{names[i]}x"
                started[i] = day - timedelta(days=int(dice.integers(0, 700)))
                weakness[i] = dice.random()
            elif dice.random() < 0.02:
                outcomes.append(renewal(names[i], day + timedelta(days=2), "renewed_on_time"))
    told = pl.DataFrame(
        rows, schema=["customer_id", "as_of_date", "weakness", "tenure"], orient="row"
    )
    base = signals(customer()).drop("customer_id", "as_of_date", "known_on", "tenure_days")
    found = (
        told.join(base, how="cross")
        .with_columns(
            pl.col("as_of_date").alias("known_on"),
            (1.0 - pl.col("weakness")).alias("usage_level_ratio"),
            (10.0 * (1.0 - pl.col("weakness"))).alias("nps_score"),
            (1.0 + 2.0 * pl.col("weakness")).alias("contact_age_ratio"),
            pl.col("tenure").cast(pl.Int64).alias("tenure_days"),
            (365 - pl.col("tenure") % 365).cast(pl.Int64).alias("days_to_renewal"),
            pl.when(pl.col("customer_id").str.ends_with("1"))
            .then(pl.lit("big"))
            .otherwise(pl.lit("small"))
            .alias("segment"),
        )
        .drop("weakness", "tenure")
    )
    return found, frame("customer_outcomes", outcomes)


def loss(customer_id: str, day: date, grace: int = 14) -> dict:
    """An outcome: the customer's MRR is gone."""
    return {
        "customer_id": customer_id,
        "kind": "mrr_loss",
        "outcome_date": day,
        "term_id": "",
        "outcome": "churned",
        "arr": 12000.0,
        "known_on": day + timedelta(days=grace),
        "is_provisional": False,
    }


def renewal(customer_id: str, due: date, outcome: str) -> dict:
    """An outcome: a term was due."""
    known_on = due + timedelta(days=14)
    term = {"kind": "renewal", "term_id": f"{customer_id}-{due}", "outcome": outcome}
    return {**loss(customer_id, due), **term, "known_on": known_on}


def history_of(
    found: pl.DataFrame, outcomes: pl.DataFrame, rules: Rules, as_of_date: date = NIGHT
) -> History:
    """The scored history of a company, as a night reads it."""
    with_optional = outcomes.with_columns(
        mrr_kept=pl.lit(None, pl.Float64), term_months=pl.lit(None, pl.Float64)
    ).filter(pl.col("known_on") <= as_of_date)
    return score_history(found, with_optional, as_of_date, rules, CONNECTED)
