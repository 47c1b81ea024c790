"""Churn probability by rules: the segment's own rate of loss, moved by the health score.

logit p = logit(segment rate) + slope * (50 - score) / 10 + shift; the shift makes the mean of the
probabilities the base rate. Rates and slope come from outcomes that were certain by the date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from scoring.config import ChurnRules
from scoring.history import Floats, History, choose_origins, is_lost_within

RULES = "rules"
DIGITS = 9


class RulesModel(NamedTuple):
    """What the rules method knows for one horizon; event_count: the losses it was fitted on."""

    base_rate: float
    event_count: int
    slope: float
    segment_rates: dict[str, float]

    def rates(self, segments: pl.Series) -> Floats:
        """The rate of each segment; that of a segment not seen is the base rate."""
        return rates_of(segments, self.segment_rates, self.base_rate)


class Tally(NamedTuple):
    """Customers and losses by date, segment and score: (date, segment, point of score).

    The last point is for customers without a score. A loss counts where it was certain by the
    end of horizon and grace.
    """

    horizon_days: int
    segments: list[str]
    customers: np.ndarray
    losses: np.ndarray


def tally_losses(history: History, horizon_days: int, churn: ChurnRules) -> Tally:
    """Counts all dates of the history once, so that every fit only adds counts."""
    rows = history.rows
    segments = sorted(rows["segment"].unique().to_list())
    code = np.searchsorted(np.array(segments, dtype=str), rows["segment"].to_numpy().astype(str))
    score = history.column("health_score")
    point = np.where(np.isnan(score), 101, np.floor(np.nan_to_num(score) + 0.5)).astype(int)
    dates = np.repeat(np.arange(len(history.dates)), np.diff(history.starts))
    shape = (len(history.dates), max(len(segments), 1), 102)
    cell = np.ravel_multi_index((dates, code, point), shape)
    certain_by = pl.col("as_of_date") + timedelta(days=horizon_days + churn.grace_days)
    is_lost = is_lost_within(rows, horizon_days, certain_by)
    size = int(np.prod(shape))
    customers = np.bincount(cell, minlength=size).reshape(shape)
    losses = np.bincount(cell[is_lost], minlength=size).reshape(shape)
    return Tally(horizon_days, segments, customers, losses)


def fit_rules(tally: Tally, origins: Sequence[int], churn: ChurnRules) -> RulesModel:
    """The rules of one horizon, from the origins (positions of dates) that may be learnt from."""
    chosen = list(origins)
    n, lost = tally.customers[chosen].sum(axis=0), tally.losses[chosen].sum(axis=0)
    prior = 1.0 - (1.0 - churn.base_rate) ** (tally.horizon_days / churn.horizon_days)
    base = (lost.sum() + prior * churn.weight) / (n.sum() + churn.weight)
    weight = churn.segment_weight
    rates = (lost.sum(axis=1) + base * weight) / (n.sum(axis=1) + weight)
    slope = _fit_slope(n[:, :101], lost[:, :101], rates, churn)
    by_segment = {s: round(float(r), DIGITS) for s, r in zip(tally.segments, rates, strict=False)}
    return RulesModel(round(float(base), DIGITS), int(lost.sum()), slope, by_segment)


def rates_of(segments: pl.Series, by_segment: Mapping[str, float], otherwise: float) -> Floats:
    """The rate of each row's segment."""
    found: Floats = segments.replace_strict(
        by_segment, default=otherwise, return_dtype=pl.Float64
    ).to_numpy()
    return found


def predict_rules(model: RulesModel, segments: pl.Series, scores: Floats) -> Floats:
    """The probabilities of the customers of one date; without a score, as at the mean score."""
    if not len(scores):
        return np.zeros(0)
    log_odds = logit(model.rates(segments)) + model.slope * deviations(scores)
    return sigmoid(log_odds + shift_to_mean(log_odds, model.base_rate))


def deviations(scores: Floats) -> Floats:
    """(50 - score) / 10; a customer without a score stands at the mean of the others."""
    known = scores[~np.isnan(scores)]
    filled = np.where(np.isnan(scores), known.mean() if known.size else 50.0, scores)
    return (50.0 - filled) / 10.0


def walk_rules(history: History, tally: Tally, churn: ChurnRules) -> tuple[Floats, RulesModel]:
    """The probability of every row, each date by the rules as they could be fitted on it.

    Also the model of the last date.
    """
    segments = history.rows["segment"]
    scores = history.column("health_score")
    wait = timedelta(days=tally.horizon_days + churn.grace_days)
    found = np.zeros(len(scores))
    model = fit_rules(tally, [], churn)
    for index, day in enumerate(history.dates):
        matured = choose_origins(history.dates, day - wait, tally.horizon_days)
        model = fit_rules(tally, matured, churn)
        here = history.slice_of(index)
        found[here] = predict_rules(model, segments[here], scores[here])
    return found, model


def logit(probability: Floats) -> Floats:
    """Log odds."""
    return np.log(probability / (1.0 - probability))


def sigmoid(log_odds: Floats) -> Floats:
    """The probability of log odds."""
    # Never quite 0 or 1, so that its log odds stay a number.
    odds: Floats = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0)))
    return odds


def shift_to_mean(log_odds: Floats, mean: float) -> float:
    """The shift that brings the mean probability to `mean`."""
    shift = 0.0
    for _ in range(100):
        found = sigmoid(log_odds + shift)
        error = found.mean() - mean
        if abs(error) < 1e-14:
            break
        slope = max(float((found * (1.0 - found)).mean()), 1e-12)
        shift -= min(max(error / slope, -1.0), 1.0)
    return float(shift)


def _fit_slope(n: np.ndarray, lost: np.ndarray, rates: Floats, churn: ChurnRules) -> float:
    """The slope that losses and the prior agree on, with a free shift; never below 0.

    Newton's method on two numbers, over the cells that hold customers.
    """
    if not lost.any():
        return churn.slope
    segment, point = np.nonzero(n)
    offset, x = logit(rates)[segment], (50.0 - point) / 10.0
    n, lost = n[segment, point], lost[segment, point]
    precision = np.array([1e-3, churn.slope_error**-2])
    prior = np.array([0.0, churn.slope])
    design = np.stack([np.ones_like(x), x])
    found = prior
    for _ in range(100):
        p = sigmoid(offset + found @ design)
        gradient = design @ (lost - n * p) - precision * (found - prior)
        curvature = (design * (n * p * (1.0 - p))) @ design.T + np.diag(precision)
        step = np.clip(np.linalg.solve(curvature, gradient), -1.0, 1.0)
        found = found + step
        if np.abs(step).max() < 1e-12:
            break
    return round(max(float(found[1]), 0.0), DIGITS)
