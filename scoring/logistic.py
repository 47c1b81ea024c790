"""A logistic churn model of score and renewals, and the gate it has to pass to be used.

Its features are the score's components, or the score as a whole where losses are too few for each,
and whether a renewal is due. It is refitted and judged at quarter starts only, from what was
certain then. Signs are declared: a lower score or a renewal never makes a loss less likely. Kept as
JSON, never pickled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from scoring.config import ChurnRules
from scoring.history import Floats, History, choose_origins, is_lost_within
from scoring.probability import DIGITS, RulesModel, logit, rates_of, sigmoid
from scoring.resampling import Resamples

LOGISTIC = "logistic"
SCORE = "health_score"
RENEWAL_DUE = "renewal_due"


class LogisticModel(NamedTuple):
    """log odds = intercept + logit(segment rate) + the sum of coefficient * feature."""

    fitted_on: date
    event_count: int
    intercept: float
    coefficients: dict[str, float]
    segment_rates: dict[str, float]
    base_rate: float


def quarter_start(day: date) -> date:
    """The first day of the calendar quarter."""
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


def features(rows: pl.DataFrame, names: Sequence[str], horizon_days: int) -> Floats:
    """A column a feature: (50 - score) / 10, 0 where not measured; a renewal due is 1, else 0."""
    is_due = pl.col("days_to_renewal").is_between(0, horizon_days).fill_null(False)
    columns = [
        is_due.cast(pl.Float64).alias(name)
        if name == RENEWAL_DUE
        else ((50.0 - pl.col(name)) / 10.0).fill_null(0.0).alias(name)
        for name in names
    ]
    found: Floats = rows.select(columns).to_numpy()
    return found


def fit_logistic(
    history: History,
    origins: Sequence[int],
    rates: RulesModel,
    horizon_days: int,
    *,
    fitted_on: date,
    churn: ChurnRules,
) -> LogisticModel | None:
    """The model of some origins; None below the gate's numbers of events."""
    parts = [history.rows[history.slice_of(i)] for i in origins]
    if not parts or rates.event_count < churn.gate.minimum_events:
        return None
    rows = pl.concat(parts)
    is_lost = is_lost_within(rows, horizon_days, fitted_on)
    enough = churn.gate.events_per_feature
    for first in (history.components, [SCORE]):
        names = [*first, RENEWAL_DUE]
        found = features(rows, names, horizon_days)
        scale = found.std(axis=0)
        used = scale > 1e-9
        if used.any() and is_lost.sum() >= enough * used.sum():
            break
    else:
        return None
    offset = logit(rates.rates(rows["segment"]))
    scaled = found[:, used] / scale[used]
    intercept, weights = _fit_signed(scaled, offset, is_lost.astype(float), churn.gate.penalty)
    coefficients = dict.fromkeys(names, 0.0)
    used_names = [name for name, is_used in zip(names, used, strict=True) if is_used]
    for name, weight in zip(used_names, weights / scale[used], strict=True):
        coefficients[name] = round(float(weight), DIGITS)
    return LogisticModel(
        fitted_on,
        rates.event_count,
        round(intercept, DIGITS),
        coefficients,
        rates.segment_rates,
        rates.base_rate,
    )


def predict_logistic(model: LogisticModel, rows: pl.DataFrame, horizon_days: int) -> Floats:
    """The probability of each row."""
    rates = rates_of(rows["segment"], model.segment_rates, model.base_rate)
    log_odds = model.intercept + logit(rates)
    columns = features(rows, list(model.coefficients), horizon_days)
    for place, coefficient in enumerate(model.coefficients.values()):
        log_odds = log_odds + coefficient * columns[:, place]
    return sigmoid(log_odds)


def beats_rules(
    history: History,
    probabilities: tuple[Floats, Floats],
    horizon_days: int,
    *,
    known_on: date,
    churn: ChurnRules,
    resamples: Resamples,
) -> bool:
    """Whether the model's Brier score was lower than that of the rules, by losses certain then.

    `probabilities`: of every row of the history, by rules and by the model (NaN without one).
    """
    by_rules, by_model = probabilities
    matured = known_on - timedelta(days=horizon_days + churn.grace_days)
    origins = choose_origins(history.dates, matured, horizon_days)
    chosen = np.zeros(len(by_rules), dtype=bool)
    for index in origins:
        chosen[history.slice_of(index)] = True
    chosen &= ~np.isnan(by_model)
    if not chosen.any():
        return False
    rows = history.rows.filter(pl.Series(chosen))
    is_lost = is_lost_within(rows, horizon_days, known_on).astype(float)
    gained = (by_rules[chosen] - is_lost) ** 2 - (by_model[chosen] - is_lost) ** 2
    draws = resamples.draw(resamples.totals(rows["customer_id"], [gained]))[1:, 0]
    return bool((draws > 0).mean() >= churn.gate.confidence)


def _fit_signed(x: Floats, offset: Floats, lost: Floats, penalty: float) -> tuple[float, Floats]:
    """Intercept and weights >= 0 of the penalised likelihood, by Newton's method."""
    design = np.hstack([np.ones((len(x), 1)), x]).T
    precision = np.array([1e-9, *[penalty] * len(x.T)])
    found = np.zeros(len(design))
    for _ in range(50):
        p = sigmoid(offset + found @ design)
        gradient = design @ (lost - p) - precision * found
        curvature = (design * (p * (1.0 - p))) @ design.T + np.diag(precision)
        moved = found + np.clip(_climb(gradient, curvature, found) - found, -1.0, 1.0)
        is_done = np.abs(moved - found).max() < 1e-10
        found = moved
        if is_done:
            break
    return float(found[0]), found[1:]


def _climb(gradient: Floats, curvature: Floats, start: Floats) -> Floats:
    """The top of the parabola at `start`, with all but the first coordinate at least 0.

    Coordinates that would fall below 0 are held at 0, and let go where the slope asks for it.
    """
    target = gradient + curvature @ start
    is_free = np.ones(len(target), dtype=bool)
    found = np.zeros(len(target))
    for _ in range(100):
        found = np.zeros(len(target))
        found[is_free] = np.linalg.solve(curvature[np.ix_(is_free, is_free)], target[is_free])
        is_below = (found < 0.0) & (np.arange(len(found)) > 0)
        slope = np.where(is_free, 0.0, target - curvature @ found)
        if is_below.any():
            is_free &= ~is_below
        elif slope.max() > 1e-9:
            is_free[slope.argmax()] = True
        else:
            break
    return np.where(np.arange(len(found)) > 0, np.maximum(found, 0.0), found)
