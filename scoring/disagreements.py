"""Where the CSM's own view and the score differed before a renewal: score_disagreements."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from scoring.bands import UNKNOWN, band_entered
from scoring.config import Rules
from scoring.health import split_by_rules
from scoring.history import History
from scoring.judgement import renewals_to_judge

# Worse is higher.
BAND_RANKS = {"green": 0, "yellow": 1, "red": 2}
DISAGREEMENTS_SCHEMA: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    "checkpoint": pl.String(),
    "due_date": pl.Date(),
    "days_before_due": pl.Int64(),
    "as_of_date": pl.Date(),
    "csm_view": pl.String(),
    "health_band": pl.String(),
    "health_score": pl.Float64(),
    "outcome": pl.String(),
    "who_was_right": pl.String(),
}


def list_disagreements(history: History, outcomes: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """(customer_id, checkpoint): renewals that are certain, so many days before due.

    The view and the band are those of the last weekly date at or before the checkpoint, the band
    as the score alone gives it. Whoever was worse about a customer that left was right, and
    whoever was better about one that stayed. Terms of a customer due on one day are one renewal,
    lost if one of them was.
    """
    renewals = (
        renewals_to_judge(outcomes, rules)
        .sort("customer_id", "outcome_date", pl.col("outcome") != "churned", "term_id")
        .group_by("customer_id", due_date="outcome_date", maintain_order=True)
        .agg(pl.col("outcome").first())
    )
    checkpoints = pl.concat(
        renewals.with_columns(
            days_before_due=pl.lit(days, pl.Int64),
            checkpoint=pl.format("{} days before {}", pl.lit(days), "due_date"),
            seen_on=pl.col("due_date") - timedelta(days=days),
        )
        for days in rules.report.disagreement_days
    ).sort("seen_on")
    dates = pl.DataFrame({"as_of_date": history.dates}, schema={"as_of_date": pl.Date})
    seen = (
        checkpoints.join_asof(dates, left_on="seen_on", right_on="as_of_date", coalesce=False)
        .join(_views(history, rules), on=["customer_id", "as_of_date"])
        .filter(pl.col("csm_view") != pl.col("health_band"))
    )
    view, band = (
        pl.col(name).replace_strict(BAND_RANKS, return_dtype=pl.Int64)
        for name in ("csm_view", "health_band")
    )
    is_csm_right = (view > band) == (pl.col("outcome") == "churned")
    right = pl.when(is_csm_right).then(pl.lit("csm")).otherwise(pl.lit("score"))
    return (
        seen.with_columns(who_was_right=right)
        .select(DISAGREEMENTS_SCHEMA.keys())
        .sort("customer_id", "checkpoint")
    )


def _views(history: History, rules: Rules) -> pl.DataFrame:
    """The dates on which both the CSM and the score had a view."""
    both = history.rows.filter(pl.col("csm_view").is_in(list(BAND_RANKS)))
    banded = [
        rows.with_columns(health_band=band_entered(health))
        for rows, health in split_by_rules(both, rules)
    ]
    return (
        pl.concat(banded)
        .filter(pl.col("health_band") != UNKNOWN)
        .select("customer_id", "as_of_date", "csm_view", "health_band", "health_score")
    )
