"""The churn probability by rules: rates from matured outcomes, moved by the score."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from scoring.config import load_rules
from scoring.probability import LossRates, add_probability, estimate_rates, origins
from tests.scoring.contract_frames import NIGHT, frame

CHURN = load_rules().churn
ORIGIN = NIGHT - timedelta(days=200)


def loss(customer_id: str, day: date, **changes):
    row = {
        "customer_id": customer_id,
        "kind": "mrr_loss",
        "outcome_date": day,
        "term_id": "",
        "known_on": day + timedelta(days=90),
        "is_provisional": False,
    }
    return {**row, **changes}


def rates(*losses, n=10):
    population = pl.DataFrame(
        {"customer_id": [f"c{i}" for i in range(n)], "segment": ["smb"] * n},
        schema={"customer_id": pl.String, "segment": pl.String},
    ).with_columns(as_of_date=pl.lit(ORIGIN))
    return estimate_rates(population, frame("customer_outcomes", losses), NIGHT, CHURN)


def test_origins_are_matured_dates_a_horizon_apart():
    weekly = [NIGHT - timedelta(days=2 + 7 * week) for week in range(104)]
    chosen = origins(weekly, NIGHT, CHURN)
    assert (NIGHT - chosen[0]).days >= 180
    gaps = [(later - earlier).days for later, earlier in pairwise(chosen)]
    assert min(gaps) >= 90 and len(chosen) == 6


def test_without_history_the_rate_is_the_prior():
    assert rates(n=0).base == pytest.approx(CHURN.base_rate)


def test_losses_within_the_horizon_move_the_rate_off_the_prior():
    found = rates(loss("c1", ORIGIN + timedelta(days=90)))
    assert found.event_count == 1
    assert found.base == pytest.approx((1 + 0.03 * 100) / 110)


@pytest.mark.parametrize(
    "other",
    [
        loss("c1", ORIGIN),
        loss("c1", ORIGIN + timedelta(days=91)),
        loss("c1", ORIGIN + timedelta(days=9), known_on=NIGHT + timedelta(days=1)),
        loss("c1", ORIGIN + timedelta(days=9), is_provisional=True),
        loss("c1", ORIGIN + timedelta(days=9), kind="renewal"),
    ],
)
def test_other_outcomes_do_not_count(other):
    assert rates(other).event_count == 0


def test_the_mean_probability_is_the_base_rate_and_a_lower_score_is_a_higher_risk():
    scores = pl.DataFrame(
        {"segment": ["a", "a", "b", None], "health_score": [10.0, 90.0, None, 50.0]}
    )
    by_segment = pl.DataFrame({"segment": ["a", "b"], "rate": [0.04, 0.08]})
    found = add_probability(scores, LossRates(0.05, 0, by_segment), CHURN)
    p = found["churn_probability"].to_numpy()
    assert p.mean() == pytest.approx(0.05)
    logit = np.log(p / (1 - p))
    assert logit[0] - logit[1] == pytest.approx(CHURN.slope * 8)
    assert p[2] > p[3] > p[1]
