"""Past weekly dates as known then, scored under tonight's rules: a row per customer and date.

What a probability is learnt from and what the report card judges. Nothing known later is in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from scoring import signals
from scoring.components import divide
from scoring.config import Rules
from scoring.health import all_components, score_customers, signals_named

Floats = np.ndarray
# What the report card needs beside the scores: the simplest things a CSM could rank customers by.
SIMPLE_SIGNALS = (
    "days_since_last_use",
    "days_without_first_use",
    "active_user_count_28d",
    "last_outcome",
    "tenure_days",
)
FACTS = ("segment", "mrr", "arr", "csm_view", "days_to_renewal")
UNKNOWN_SEGMENT = "unknown"
ROWS_AT_ONCE = 200_000


@dataclass(frozen=True)
class History:
    """`rows`: sorted by (as_of_date, customer_id), customers with MRR, as `score_history` gives it.

    `dates`: its dates, ascending; `starts[i]` to `starts[i + 1]` are the rows of `dates[i]`.
    `components`: the score's components, each a column of `rows`. `as_of_date`: the night.
    """

    as_of_date: date
    rows: pl.DataFrame
    dates: list[date]
    starts: list[int]
    components: list[str]

    def index_of(self, day: date) -> int:
        """The last date at or before `day`; -1 before the first."""
        return bisect_right(self.dates, day) - 1

    def slice_of(self, index: int) -> slice:
        """The rows of a date."""
        return slice(self.starts[index], self.starts[index + 1])

    def column(self, name: str) -> Floats:
        """A numeric column; null is NaN."""
        return self.rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def read_history(
    folder: Path, as_of_date: date, rules: Rules, connected: frozenset[str]
) -> History:
    """All dates until as_of_date, as known then. Raises ContractError."""
    dates = signals.read_signal_dates(folder, as_of_date)
    named = {
        *FACTS,
        *SIMPLE_SIGNALS,
        *signals_named(rules),
    }
    freshness = {"usage_stale_days", "crm_stale_days", "orders_stale_days"}
    found = signals.read_signals(folder, dates, sorted(named | freshness))
    outcomes = signals.read_outcomes(folder, as_of_date)
    return score_history(found.filter(pl.col("mrr") > 0), outcomes, as_of_date, rules, connected)


def score_history(
    found: pl.DataFrame,
    outcomes: pl.DataFrame,
    as_of_date: date,
    rules: Rules,
    connected: frozenset[str],
) -> History:
    """`found`: customer_signals of customers with MRR, as known then; `outcomes`: certain ones.

    Adds health_score, coverage, the components' scores under their names, and the next loss:
    lost_on, lost_known_on.
    """
    components = all_components(rules)
    kept = ["customer_id", "as_of_date", *FACTS, *SIMPLE_SIGNALS]
    scores = [pl.col(f"{c}.component_score").alias(c) for c in components]
    parts = [
        score_customers(rows, rules, connected).select(*kept, "health_score", "coverage", *scores)
        for rows in found.iter_slices(ROWS_AT_ONCE)
    ] or [_nothing(found, kept, components)]
    rows = (
        pl.concat(parts)
        .with_columns(pl.col("mrr", "arr").cast(pl.Float64))
        .with_columns(pl.col("segment").fill_null(UNKNOWN_SEGMENT))
        .sort("as_of_date", "customer_id")
    )
    rows = _add_losses(rows, outcomes, rules)
    counted = rows.group_by("as_of_date").len().sort("as_of_date")
    starts = [0, *counted["len"].cum_sum().to_list()]
    return History(as_of_date, rows, counted["as_of_date"].to_list(), starts, components)


def choose_origins(dates: Sequence[date], latest: date, apart_days: int) -> list[int]:
    """Positions of dates until `latest`, so many days apart, counted back from the newest."""
    chosen: list[int] = []
    for index in range(bisect_right(dates, latest) - 1, -1, -1):
        if not chosen or (dates[chosen[-1]] - dates[index]).days >= apart_days:
            chosen.append(index)
    return chosen


def is_lost_within(
    rows: pl.DataFrame, horizon_days: int, certain_by: date | pl.Expr | None = None
) -> np.ndarray:
    """Whether each row's customer was lost within the horizon: as known tonight, or by a day."""
    is_lost = (pl.col("lost_on") - pl.col("as_of_date")).dt.total_days() <= horizon_days
    if certain_by is not None:
        is_lost &= pl.col("lost_known_on") <= certain_by
    return rows.select(is_lost.fill_null(False)).to_series().to_numpy()


def _add_losses(rows: pl.DataFrame, outcomes: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Adds the next loss of at least the ratio within the longest horizon, and when it was known.

    A loss counts against the MRR of the row's own date.
    """
    losses = outcomes.filter(pl.col("kind") == "mrr_loss").select(
        "customer_id",
        lost_on="outcome_date",
        lost_known_on="known_on",
        mrr_kept=pl.col("mrr_kept").cast(pl.Float64).fill_null(0.0),
    )
    days = (pl.col("lost_on") - pl.col("as_of_date")).dt.total_days()
    # Rounded as the outcomes are: half of a twelfth is half, whatever its last digit.
    is_loss = pl.col("mrr_kept").round(6) <= (rules.churn.loss_ratio * pl.col("mrr")).round(6)
    next_loss = (
        rows.select("customer_id", "as_of_date", "mrr")
        .join(losses, on="customer_id")
        .filter(days.is_between(1, max(rules.churn.horizons)))
        .filter(is_loss)
        .sort("lost_on", "lost_known_on")
        .group_by("customer_id", "as_of_date", maintain_order=True)
        .agg(pl.col("lost_on", "lost_known_on").first())
    )
    return rows.join(next_loss, on=["customer_id", "as_of_date"], how="left", maintain_order="left")


def measured_shares(scored: pl.DataFrame, components: Sequence[str]) -> pl.DataFrame:
    """Adds `<component>.share`: its weight over the measured weight; 0 where not measured."""
    weights = {
        c: pl.when(pl.col(f"{c}.is_measured")).then(pl.col(f"{c}.weight")).fill_null(0.0)
        for c in components
    }
    weighed = scored.with_columns(
        *(weight.alias(f"{c}.counted") for c, weight in weights.items()),
        counted=pl.sum_horizontal(weights.values()),
    )
    return divide(weighed, {f"{c}.share": (f"{c}.counted", "counted") for c in components})


def _nothing(found: pl.DataFrame, kept: list[str], components: list[str]) -> pl.DataFrame:
    numbers = [pl.lit(None, pl.Float64).alias(n) for n in ("health_score", "coverage", *components)]
    return found.select(*kept, *numbers)
