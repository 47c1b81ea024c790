"""The logistic model: declared signs, and no voice before the gate."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from scoring.churn import estimate_churn
from scoring.config import Rules, load_rules
from scoring.history import is_lost_within
from scoring.logistic import _fit_signed, beats_rules, fit_logistic, quarter_start
from scoring.probability import fit_rules, sigmoid, tally_losses
from scoring.resampling import Resamples
from tests.scoring.companies import LAST_SUNDAY, grow_company, history_of

RULES = load_rules()


def test_weights_are_found_and_never_negative():
    dice = np.random.default_rng(0)
    x = dice.normal(size=(20_000, 3))
    lost = dice.random(20_000) < sigmoid(-3.0 + x @ np.array([0.8, -0.5, 0.0]))
    intercept, weights = _fit_signed(x, np.zeros(20_000), lost.astype(float), 1.0)
    assert (intercept, weights[0]) == pytest.approx((-3.0, 0.8), abs=0.15)
    assert weights[1] == 0.0 and 0.0 <= weights[2] < 0.1


def fit(rules: Rules, hazard: float):
    history = history_of(*grow_company(60, 80, hazard=hazard), rules, LAST_SUNDAY)
    tally = tally_losses(history, 30, rules.churn)
    origins = list(range(0, 60, 5))
    rates = fit_rules(tally, origins, rules.churn)
    model = fit_logistic(history, origins, rates, 30, fitted_on=LAST_SUNDAY, churn=rules.churn)
    return model, rates.event_count


def test_below_the_events_of_the_gate_there_is_no_model():
    model, events = fit(RULES, hazard=0.003)
    assert model is None and 0 < events < 50
    model, events = fit(RULES, hazard=0.03)
    assert model is not None and model.event_count == events >= 50
    assert min(model.coefficients.values()) >= 0
    strict = load_rules({"churn": {"gate": {"events_per_feature": 1000}}})
    assert fit(strict, hazard=0.03)[0] is None


def test_it_speaks_only_when_it_was_better_at_two_quarter_starts():
    history = history_of(*grow_company(60, signal=1.0), RULES, LAST_SUNDAY)
    resamples = Resamples(history.rows["customer_id"], 200)
    lost = is_lost_within(history.rows, 30)
    perfect, poor = np.where(lost, 0.9, 0.01), np.full(history.rows.height, 0.5)

    def is_better(by_rules: np.ndarray, by_model: np.ndarray) -> bool:
        return beats_rules(
            history,
            (by_rules, by_model),
            30,
            known_on=quarter_start(LAST_SUNDAY),
            churn=RULES.churn,
            resamples=resamples,
        )

    assert is_better(poor, perfect)
    assert not is_better(perfect, poor)
    assert not is_better(perfect, perfect)
    assert not is_better(poor, np.full(history.rows.height, np.nan))


def test_a_loss_that_was_not_certain_at_a_quarter_start_does_not_count_there():
    found, outcomes = grow_company(60, signal=1.0)
    start = quarter_start(LAST_SUNDAY)

    def is_better_known_on(day: date) -> bool:
        told = outcomes.with_columns(known_on=pl.lit(day))
        history = history_of(found, told, RULES, LAST_SUNDAY)
        foreseen = np.where(is_lost_within(history.rows, 30), 0.9, 0.01)
        return beats_rules(
            history,
            (np.full(history.rows.height, 0.01), foreseen),
            30,
            known_on=start,
            churn=RULES.churn,
            resamples=Resamples(history.rows["customer_id"], 100),
        )

    assert is_better_known_on(start)
    assert not is_better_known_on(start + timedelta(days=1))


def test_few_losses_fall_back_to_the_rules_and_say_so():
    history = history_of(*grow_company(80, 104, hazard=0.0005, seed=7), RULES, LAST_SUNDAY)
    resamples = Resamples(history.rows["customer_id"], 100)
    horizons = estimate_churn(history, RULES, resamples, {})
    assert {h.method for h in horizons.values()} == {"rules"}
    assert all(h.logistic is None for h in horizons.values())
    assert horizons[90].as_document()["decided_on"] == str(quarter_start(LAST_SUNDAY))
    assert timedelta(0) <= LAST_SUNDAY - horizons[90].decided_on < timedelta(days=93)
