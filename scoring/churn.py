"""Churn probabilities of every horizon: tonight's, with their drivers, and those of past dates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from scoring.config import ChurnRules, Rules
from scoring.history import Floats, History, choose_origins, measured_shares
from scoring.logistic import (
    LOGISTIC,
    RENEWAL_DUE,
    SCORE,
    LogisticModel,
    beats_rules,
    features,
    fit_logistic,
    predict_logistic,
    quarter_start,
)
from scoring.probability import (
    RULES,
    RulesModel,
    Tally,
    fit_rules,
    logit,
    tally_losses,
    walk_rules,
)
from scoring.resampling import Resamples

PROBABILITIES_SCHEMA: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    "as_of_date": pl.Date(),
    "horizon_days": pl.Int64(),
    "probability": pl.Float64(),
    "method": pl.String(),
    "event_count": pl.Int64(),
    "drivers": pl.String(),
    "is_for_warnings": pl.Boolean(),
}
BASE = "base"


@dataclass(frozen=True)
class Horizon:
    """One horizon: the method in force, the models, the probabilities of all rows by method."""

    days: int
    method: str
    decided_on: date
    rules: RulesModel
    logistic: LogisticModel | None
    by_method: dict[str, Floats]

    @property
    def probabilities(self) -> Floats:
        """Those of the method in force; the rules' where it has none."""
        chosen, by_rules = self.by_method[self.method], self.by_method[RULES]
        return np.where(np.isnan(chosen), by_rules, chosen)

    def as_document(self) -> dict[str, Any]:
        """What a night keeps of it, as JSON."""
        logistic = None if self.logistic is None else self.logistic._asdict()
        return {
            "method": self.method,
            "decided_on": str(self.decided_on),
            "rules": self.rules._asdict(),
            "logistic": logistic and {**logistic, "fitted_on": str(logistic["fitted_on"])},
        }


def estimate_churn(
    history: History, rules: Rules, resamples: Resamples, said: Mapping[str, Any]
) -> dict[int, Horizon]:
    """Every horizon, walked forward: each date knows only what was certain on it.

    `said`: the document of the last night; within its quarter the method stays as it was said.
    Who is lost within a horizon is lost within every longer one, so none is less probable.
    """
    horizons = {}
    at_least = np.zeros(history.rows.height)
    for days in sorted(rules.churn.horizons):
        tally = tally_losses(history, days, rules.churn)
        by_rules, model = walk_rules(history, tally, rules.churn)
        by_model, logistic = _walk_logistic(history, tally, rules.churn)
        both = (by_rules, by_model)
        decided_on = quarter_start(history.as_of_date)
        before = said.get(str(days), {})
        if before.get("decided_on") == str(decided_on):
            method = before["method"]
        else:
            method = _decide(history, both, days, decided_on, rules.churn, resamples)
        if logistic is None:
            method = RULES
        found = {RULES: by_rules} | ({LOGISTIC: by_model} if logistic else {})
        by_method = {name: np.maximum(p, at_least) for name, p in found.items()}
        horizons[days] = Horizon(days, method, decided_on, model, logistic, by_method)
        at_least = horizons[days].probabilities
    return horizons


def list_probabilities(
    scored: pl.DataFrame, history: History, horizons: Mapping[int, Horizon], main_days: int
) -> pl.DataFrame:
    """churn_probabilities of tonight: (customer_id, as_of_date, horizon_days).

    `scored`: tonight's customers by health.score_customers; `main_days`: the horizon that warnings
    use. The log odds of the drivers add up to those of the probability: `base` (the segment's rate,
    and what a shorter horizon lifts it by) and a part for each component.
    """
    if scored.is_empty():
        return pl.DataFrame(schema=PROBABILITIES_SCHEMA)
    here = history.slice_of(len(history.dates) - 1)
    rows = history.rows[here]
    shares = measured_shares(scored, history.components).sort("customer_id")
    listed = []
    for horizon in horizons.values():
        p = horizon.probabilities[here]
        parts = _driver_parts(horizon, rows, shares, history.components)
        base = logit(p) - parts.sum(axis=1)
        drivers = [
            _spell_drivers(first, others, [*history.components, RENEWAL_DUE])
            for first, others in zip(base.tolist(), parts.tolist(), strict=True)
        ]
        listed.append(
            rows.select(
                "customer_id",
                "as_of_date",
                pl.lit(horizon.days, pl.Int64).alias("horizon_days"),
                pl.Series("probability", p, dtype=pl.Float64),
                pl.lit(horizon.method).alias("method"),
                pl.lit(horizon.rules.event_count, pl.Int64).alias("event_count"),
                pl.Series("drivers", drivers, dtype=pl.String),
                pl.lit(horizon.days == main_days).alias("is_for_warnings"),
            )
        )
    probabilities = pl.concat(listed).sort("customer_id", "horizon_days")
    return probabilities.cast(pl.Schema(PROBABILITIES_SCHEMA))


def add_probability(scored: pl.DataFrame, probabilities: pl.DataFrame) -> pl.DataFrame:
    """Adds churn_probability: that of the horizon that warnings use."""
    wanted = probabilities.filter(pl.col("is_for_warnings"))
    return scored.join(
        wanted.select("customer_id", churn_probability="probability"),
        on="customer_id",
        how="left",
        maintain_order="left",
    )


def _walk_logistic(
    history: History, tally: Tally, churn: ChurnRules
) -> tuple[Floats, LogisticModel | None]:
    """The model's probability of every row, by the fit of its quarter's start; NaN without one."""
    found = np.full(history.rows.height, np.nan)
    wait = timedelta(days=tally.horizon_days + churn.grace_days)
    models: dict[date, LogisticModel | None] = {}
    for index, day in enumerate(history.dates):
        start = quarter_start(day)
        if start not in models:
            matured = choose_origins(history.dates, start - wait, tally.horizon_days)
            rates = fit_rules(tally, matured, churn)
            models[start] = fit_logistic(
                history, matured, rates, tally.horizon_days, fitted_on=start, churn=churn
            )
        model = models[start]
        if model is not None:
            here = history.slice_of(index)
            found[here] = predict_logistic(model, history.rows[here], tally.horizon_days)
    return found, models.get(quarter_start(history.as_of_date))


def _decide(
    history: History,
    probabilities: tuple[Floats, Floats],
    days: int,
    start: date,
    churn: ChurnRules,
    resamples: Resamples,
) -> str:
    """The method of a quarter: the logistic model if it was better at this start and the last."""
    starts = (start, quarter_start(start - timedelta(days=1)))
    is_better = all(
        beats_rules(
            history, probabilities, days, known_on=known_on, churn=churn, resamples=resamples
        )
        for known_on in starts
    )
    return LOGISTIC if is_better else RULES


def _driver_parts(
    horizon: Horizon, rows: pl.DataFrame, shares: pl.DataFrame, components: list[str]
) -> Floats:
    """The log odds that each component, and a renewal that is due, bring: a column each.

    What the score as a whole brings is divided by the components' shares in it.
    """
    names = [*components, RENEWAL_DUE]
    share = shares.select(
        *(pl.col(f"{c}.share").fill_null(0.0) for c in components), pl.lit(1.0).alias(RENEWAL_DUE)
    ).to_numpy()
    weights = {RENEWAL_DUE: 0.0, SCORE: horizon.rules.slope}
    if horizon.method == LOGISTIC and horizon.logistic is not None:
        weights = horizon.logistic.coefficients
    by_name = np.array([weights.get(name, weights.get(SCORE, 0.0)) for name in names])
    if SCORE not in weights:
        share = np.ones_like(share)
    parts: Floats = features(rows, names, horizon.days) * share * by_name
    return parts


def _spell_drivers(base: float, parts: list[float], names: list[str]) -> str:
    """The base, then the others by the size of their part; those of 0 are left out."""
    ordered = sorted(
        ((part, name) for part, name in zip(parts, names, strict=True) if part != 0.0),
        key=lambda named: (-abs(named[0]), named[1]),
    )
    listed = [{"code": BASE, "log_odds": base}]
    listed += [{"code": name, "log_odds": part} for part, name in ordered]
    return json.dumps(listed)
