"""The churn probability by rules: rates and slope from matured outcomes, moved by the score."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from scoring.churn import estimate_churn, list_probabilities
from scoring.config import load_rules
from scoring.health import score_customers
from scoring.history import choose_origins, is_lost_within, score_history
from scoring.logistic import quarter_start
from scoring.probability import (
    RulesModel,
    fit_rules,
    logit,
    predict_rules,
    sigmoid,
    tally_losses,
    walk_rules,
)
from scoring.resampling import Resamples
from tests.scoring.companies import LAST_SUNDAY, grow_company, history_of, loss
from tests.scoring.contract_frames import CONNECTED, NIGHT, customer, frame, signals

RULES = load_rules()
CHURN = RULES.churn
ORIGIN = NIGHT - timedelta(days=200)


def small_history(*losses: dict, customers: int = 10, mrr: float = 1000.0, **columns):
    rows = [customer(f"c{i}", on=ORIGIN, mrr=mrr) for i in range(customers)]
    outcomes = frame("customer_outcomes", losses).with_columns(
        mrr_kept=pl.lit(columns.get("mrr_kept"), pl.Float64), term_months=pl.lit(None, pl.Float64)
    )
    return score_history(signals(*rows), outcomes, NIGHT, RULES, CONNECTED)


def fitted(*losses: dict, customers: int = 10) -> RulesModel:
    history = small_history(*losses, customers=customers)
    return fit_rules(tally_losses(history, 90, CHURN), [0], CHURN)


def test_origins_are_matured_dates_a_horizon_apart():
    weekly = sorted(NIGHT - timedelta(days=2 + 7 * week) for week in range(104))
    chosen = [weekly[i] for i in choose_origins(weekly, NIGHT - timedelta(days=180), 90)]
    assert (NIGHT - chosen[0]).days >= 180
    gaps = [(later - earlier).days for later, earlier in pairwise(chosen)]
    assert min(gaps) >= 90 and len(chosen) == 6


def test_without_history_the_rate_and_the_slope_are_the_prior():
    history = small_history(customers=0)
    for days, rate in ((90, 0.03), (180, 1 - 0.97**2), (30, 1 - 0.97 ** (1 / 3))):
        model = fit_rules(tally_losses(history, days, CHURN), [], CHURN)
        assert (model.base_rate, model.slope) == (pytest.approx(rate), 0.3)


def test_losses_within_the_horizon_move_the_rate_off_the_prior():
    found = fitted(loss("c1", ORIGIN + timedelta(days=90)))
    assert found.event_count == 1
    assert found.base_rate == pytest.approx((1 + 0.03 * 100) / 110)


@pytest.mark.parametrize(
    "other",
    [
        loss("c1", ORIGIN),
        loss("c1", ORIGIN + timedelta(days=91)),
        loss("c1", ORIGIN + timedelta(days=80), grace=101),
        {**loss("c1", ORIGIN + timedelta(days=9)), "kind": "renewal"},
    ],
)
def test_other_outcomes_do_not_count(other):
    assert fitted(other).event_count == 0


def test_the_rules_are_those_of_a_plain_recount():
    """Base rate, segment rates, slope and probabilities of tonight, from the definition alone."""
    found, outcomes = grow_company(60, 80, signal=1.5)
    history = history_of(found, outcomes, RULES, LAST_SUNDAY)
    p, model = walk_rules(history, tally_losses(history, 90, CHURN), CHURN)

    scored = score_customers(found, RULES, CONNECTED).sort("as_of_date", "customer_id")
    rows = scored.select("as_of_date", "customer_id", "segment", "health_score").rows()
    lost_on = {
        (name, on): known_on
        for name, on, known_on in outcomes.filter(kind="mrr_loss")
        .select("customer_id", "outcome_date", "known_on")
        .rows()
    }
    # Thirteen weeks apart, the newest with horizon and grace (180 days) behind it.
    newest = max(day for day, *_ in rows if (LAST_SUNDAY - day).days >= 180)
    learnt = []
    for day, name, segment, score in rows:
        if day <= newest and (newest - day).days % 91 == 0:
            ends = [day + timedelta(days=ahead) for ahead in range(1, 91)]
            known = [lost_on[name, end] for end in ends if (name, end) in lost_on]
            is_lost = any(on <= day + timedelta(days=180) for on in known)
            learnt.append((segment, round(score), is_lost))
    base = (sum(lost for *_, lost in learnt) + 0.03 * 100) / (len(learnt) + 100)
    assert (model.event_count, model.base_rate) == (
        sum(lost for *_, lost in learnt),
        pytest.approx(base),
    )
    rates = {}
    for segment in ("big", "small"):
        own = [lost for name, _, lost in learnt if name == segment]
        rates[segment] = (sum(own) + base * 100) / (len(own) + 100)
    assert model.segment_rates == pytest.approx(rates)

    # The best slope on a grid, with the best shift of each: likelihood times the prior.
    offset = np.array([logit(rates[segment]) for segment, *_ in learnt])
    x = np.array([(50 - score) / 10 for _, score, _ in learnt])
    lost = np.array([lost for *_, lost in learnt])

    def fit(slope: float) -> float:
        shifts = np.linspace(-6, 6, 601)[:, None]
        chance = sigmoid(offset + shifts + slope * x)
        likelihood = np.where(lost, np.log(chance), np.log(1 - chance)).sum(axis=1).max()
        return float(likelihood - ((slope - 0.3) / 0.15) ** 2 / 2)

    assert model.slope == pytest.approx(max(np.arange(0, 1.5, 0.01), key=fit), abs=0.02)
    tonight = [(rates[s], score) for day, _, s, score in rows if day == LAST_SUNDAY]
    moved = np.array([logit(rate) + model.slope * (50 - score) / 10 for rate, score in tonight])
    shifted = sigmoid(moved + np.linspace(-6, 6, 24_001)[:, None])
    nearest = shifted[np.abs(shifted.mean(axis=1) - base).argmin()]
    assert p[-len(tonight) :] == pytest.approx(nearest, abs=2e-4)


def test_a_loss_counts_against_the_mrr_of_the_date_itself():
    def lost(mrr, mrr_kept):
        history = small_history(
            loss("c1", ORIGIN + timedelta(days=9)), mrr=mrr, mrr_kept=mrr_kept, customers=2
        )
        return is_lost_within(history.rows, 90).tolist()

    assert lost(1000.0, 500.0) == [False, True]
    assert lost(900.0, 500.0) == [False, False]
    # 1,000 a year and then 500: half, whatever the last digit of a twelfth.
    assert lost(83.3333333333, 41.6666666667) == [False, True]


def test_the_mean_probability_is_the_base_rate_and_a_lower_score_is_a_higher_risk():
    model = RulesModel(0.05, 0, 0.3, {"a": 0.04, "b": 0.08})
    p = predict_rules(model, pl.Series(["a", "a", "b", "z"]), np.array([10.0, 90.0, np.nan, 50.0]))
    assert p.mean() == pytest.approx(0.05)
    assert logit(p)[0] - logit(p)[1] == pytest.approx(0.3 * 8)
    assert p[2] > p[3] > p[1]


def test_the_slope_is_drawn_from_the_prior_to_what_losses_say():
    slopes = []
    for strength in (0.0, 1.0):
        history = history_of(*grow_company(150, signal=strength, seed=3), RULES)
        slopes.append(walk_rules(history, tally_losses(history, 90, CHURN), CHURN)[1].slope)
    assert 0.0 <= slopes[0] < 0.2
    assert 0.3 < slopes[1] < 2.0


def test_each_date_is_judged_by_what_was_certain_on_it():
    found, outcomes = grow_company(40)
    history = history_of(found, outcomes, RULES)
    tally = tally_losses(history, 90, CHURN)
    all_dates, _ = walk_rules(history, tally, CHURN)
    until = history.dates[80]
    early = history_of(found.filter(pl.col("as_of_date") <= until), outcomes, RULES, until)
    then, _ = walk_rules(early, tally_losses(early, 90, CHURN), CHURN)
    assert (all_dates[: len(then)] == then).all()


@pytest.mark.parametrize(
    ("method", "per_feature"), [("rules", 10), ("logistic", 1), ("logistic", 30)]
)
def test_the_drivers_add_up_to_the_probability(method, per_feature):
    rules = load_rules({"churn": {"gate": {"events_per_feature": per_feature}}})
    quarter = str(quarter_start(LAST_SUNDAY))
    said = {str(d): {"method": method, "decided_on": quarter} for d in CHURN.horizons}
    found, outcomes = grow_company(80, signal=1.5)
    history = history_of(found, outcomes, RULES, LAST_SUNDAY)
    tonight = found.filter(pl.col("as_of_date") == LAST_SUNDAY)
    scored = score_customers(tonight, RULES, CONNECTED)
    resamples = Resamples(history.rows["customer_id"], 100)
    horizons = estimate_churn(history, rules, resamples, said)
    if method == "logistic":
        is_whole = "health_score" in horizons[30].logistic.coefficients
        assert is_whole == (per_feature == 30)
    listed = list_probabilities(scored, history, horizons, 90)
    assert listed["horizon_days"].unique().sort().to_list() == [30, 60, 90, 180]
    assert listed.filter("is_for_warnings")["horizon_days"].unique().to_list() == [90]
    assert listed.group_by("horizon_days").len()["len"].unique().to_list() == [tonight.height]
    assert method in listed["method"].to_list()
    for row in listed.iter_rows(named=True):
        drivers = json.loads(row["drivers"])
        assert drivers[0]["code"] == "base"
        total = sum(driver["log_odds"] for driver in drivers)
        assert sigmoid(np.array(total)) == pytest.approx(row["probability"], abs=1e-12)


def test_a_loss_within_a_longer_horizon_is_never_less_probable():
    # Half of a young company leaves: it can be looked back on for 90 days already, not for 180.
    found, _ = grow_company(100, 30, hazard=0.0)
    left_on = LAST_SUNDAY - timedelta(days=140)
    leavers = [f"c{i:04}" for i in range(50)]
    has_left = pl.col("customer_id").is_in(leavers) & (pl.col("as_of_date") >= left_on)
    outcomes = frame("customer_outcomes", [loss(name, left_on) for name in leavers])
    history = history_of(found.filter(~has_left), outcomes, RULES, LAST_SUNDAY)
    horizons = estimate_churn(history, RULES, Resamples(history.rows["customer_id"], 100), {})
    assert horizons[90].rules.base_rate > horizons[180].rules.base_rate
    for shorter, longer in pairwise(CHURN.horizons):
        assert (horizons[longer].probabilities >= horizons[shorter].probabilities).all()


def test_a_method_said_in_this_quarter_stays_until_the_next():
    found, outcomes = grow_company(60, signal=2.0, hazard=0.03)
    history = history_of(found, outcomes, RULES, LAST_SUNDAY)
    resamples = Resamples(history.rows["customer_id"], 100)
    said = {"30": {"method": "logistic", "decided_on": str(quarter_start(LAST_SUNDAY))}}
    assert estimate_churn(history, RULES, resamples, said)[30].method == "logistic"
    long_ago = {"30": {"method": "logistic", "decided_on": "2020-01-01"}}
    first = estimate_churn(history, RULES, resamples, {})[30].method
    assert estimate_churn(history, RULES, resamples, long_ago)[30].method == first


def test_quarters_begin_on_their_first_day():
    assert quarter_start(date(2024, 3, 31)) == date(2024, 1, 1)
    assert quarter_start(date(2024, 12, 1)) == date(2024, 10, 1)
