"""Churn probability by rules: the segment's own rate of loss, moved by the health score.

The method is called `rules`: only the rates come from outcomes, those known by the night.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from scoring.config import ChurnRules

METHOD = "rules"


class LossRates(NamedTuple):
    """Rates of loss within the horizon: `base` over all; `by_segment`: (segment, rate)."""

    base: float
    event_count: int
    by_segment: pl.DataFrame


def origins(dates: list[date], as_of_date: date, churn: ChurnRules) -> list[date]:
    """Past dates whose horizon and grace are over by as_of_date, a horizon apart, newest first."""
    latest = as_of_date - timedelta(days=churn.horizon_days + churn.grace_days)
    chosen: list[date] = []
    for day in sorted(dates, reverse=True):
        if day <= latest and (not chosen or (chosen[-1] - day).days >= churn.horizon_days):
            chosen.append(day)
    return chosen


def estimate_rates(
    population: pl.DataFrame, outcomes: pl.DataFrame, as_of_date: date, churn: ChurnRules
) -> LossRates:
    """The shrunken rates of loss of past populations.

    `population`: (customer_id, as_of_date, segment), customers with MRR at the origins;
    `outcomes`: customer_outcomes. Only losses known by as_of_date count.
    """
    losses = outcomes.filter(
        (pl.col("kind") == "mrr_loss")
        & (pl.col("known_on") <= as_of_date)
        & ~pl.col("is_provisional").fill_null(True)
    ).select("customer_id", "outcome_date")
    lost = (
        population.join(losses, on="customer_id")
        .filter(
            (pl.col("outcome_date") > pl.col("as_of_date"))
            & (
                pl.col("outcome_date")
                <= pl.col("as_of_date") + pl.duration(days=churn.horizon_days)
            )
        )
        .select("customer_id", "as_of_date", is_lost=pl.lit(1))
        .unique()
    )
    labelled = population.join(lost, on=["customer_id", "as_of_date"], how="left").with_columns(
        pl.col("is_lost").fill_null(0)
    )
    event_count = int(labelled["is_lost"].sum())
    base = (event_count + churn.base_rate * churn.weight) / (labelled.height + churn.weight)
    by_segment = (
        labelled.group_by("segment")
        .agg(n=pl.len(), lost=pl.col("is_lost").sum())
        .select(
            "segment",
            rate=(pl.col("lost") + base * churn.segment_weight)
            / (pl.col("n") + churn.segment_weight),
        )
        .sort("segment", nulls_last=True)
    )
    return LossRates(base, event_count, by_segment)


def add_probability(scores: pl.DataFrame, rates: LossRates, churn: ChurnRules) -> pl.DataFrame:
    """Adds churn_probability: logit p = logit(segment rate) + slope * (50 - score) / 10 + shift.

    The shift makes the mean of the probabilities the base rate. Without a score a customer counts
    with the mean score of the others. `scores`: (customer_id, segment, health_score, ...), sorted.
    """
    if scores.is_empty():
        return scores.with_columns(churn_probability=pl.lit(None, pl.Float64))
    joined = scores.join(
        rates.by_segment, on="segment", how="left", nulls_equal=True, maintain_order="left"
    )
    rate = joined["rate"].fill_null(rates.base).to_numpy()
    score = joined["health_score"].to_numpy().astype(float)
    known = score[~np.isnan(score)]
    score = np.where(np.isnan(score), known.mean() if known.size else 50.0, score)
    log_odds = np.log(rate / (1.0 - rate)) + churn.slope * (50.0 - score) / 10.0
    probability = _sigmoid(log_odds + _shift_to_mean(log_odds, rates.base))
    return scores.with_columns(churn_probability=pl.Series(probability, dtype=pl.Float64))


def _shift_to_mean(log_odds: np.ndarray, mean: float) -> float:
    """The shift that brings the mean probability to `mean`, by bisection: always the same bits."""
    low, high = -50.0, 50.0
    for _ in range(100):
        middle = (low + high) / 2.0
        if _sigmoid(log_odds + middle).mean() < mean:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _sigmoid(log_odds: np.ndarray) -> np.ndarray:
    odds: np.ndarray = 1.0 / (1.0 + np.exp(-log_odds))
    return odds
