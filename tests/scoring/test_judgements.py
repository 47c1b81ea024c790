"""Savings, disagreements and cohorts: what acting, the CSM and each signal were worth."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from scoring.cohorts import list_cohorts
from scoring.config import load_rules
from scoring.disagreements import list_disagreements
from scoring.resampling import Resamples
from scoring.savings import Saving, learn_savings, savings_by_reason
from tests.scoring.companies import history_of, renewal
from tests.scoring.contract_frames import CONNECTED, NIGHT, customer, frame, signals

RULES = load_rules()
ORIGIN = NIGHT - timedelta(days=200)


def cases(treated: int, treated_lost: int, untreated: int, untreated_lost: int) -> pl.DataFrame:
    """warning_savings of a company whose champions left; c0, c1, ... are the treated ones."""
    lost = [i < treated_lost for i in range(treated)]
    lost += [i < untreated_lost for i in range(untreated)]
    rows = [
        customer(f"c{i}", on=ORIGIN, has_champion_left=True, usage_state=None)
        for i in range(len(lost))
    ]
    past = signals(*rows).with_columns(
        is_lost=pl.Series(lost, dtype=pl.Boolean), churn_probability=pl.lit(0.1)
    )
    started = {"customer_id": [f"c{i}" for i in range(treated)], "started_on": [ORIGIN] * treated}
    runs = pl.DataFrame(started, schema={"customer_id": pl.String, "started_on": pl.Date})
    return learn_savings(past, runs, RULES, CONNECTED)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0, 0, 0, 0), Saving(0.2, is_assumed=True)),
        ((10, 1, 50, 10), Saving((10 * 0.5 + 20 * 0.2) / 30, is_assumed=True)),
        ((20, 2, 50, 10), Saving((20 * 0.5 + 20 * 0.2) / 40, is_assumed=False)),
        ((40, 40, 40, 4), Saving(20 * 0.2 / 60, is_assumed=False)),
        ((40, 4, 40, 0), Saving(0.2, is_assumed=True)),
    ],
)
def test_savings_are_treated_against_untreated_drawn_to_the_prior(counts, expected):
    found = savings_by_reason(cases(*counts))["champion_left"]
    assert found.saved_share == pytest.approx(expected.saved_share)
    assert found.is_assumed == expected.is_assumed


def test_every_risk_reason_has_a_saving_and_no_upsell_reason():
    found = savings_by_reason(cases(1, 0, 1, 0))
    assert "no_owner" in found and "seats_full" not in found


def checkpoints(csm_view: str | None, outcome: str, **changes: Any) -> pl.DataFrame:
    """The disagreements before one renewal, seen weekly by CSM and score."""
    due = date(2024, 2, 20)
    days = [NIGHT - timedelta(days=2 + 7 * week) for week in range(40)]
    rows = [customer(on=day, csm_view=csm_view, **changes) for day in days]
    ends = frame("customer_outcomes", [renewal("a", due, outcome)])
    outcomes = ends.with_columns(mrr_kept=pl.lit(None, pl.Float64), term_months=pl.lit(12.0))
    return list_disagreements(history_of(signals(*rows), ends, RULES), outcomes, RULES)


@pytest.mark.parametrize(
    ("csm_view", "outcome", "right"),
    [
        ("red", "churned", "csm"),
        ("yellow", "renewed_late", "score"),
        ("red", "renewed_early", "score"),
    ],
)
def test_who_was_worse_about_a_customer_that_left_was_right(csm_view, outcome, right):
    found = checkpoints(csm_view, outcome)
    assert found["checkpoint"].to_list() == [
        "180 days before 2024-02-20",
        "90 days before 2024-02-20",
    ]
    assert found["health_band"].unique().to_list() == ["green"]
    assert found["who_was_right"].to_list() == [right] * 2
    assert found["as_of_date"].to_list() == [date(2023, 8, 20), date(2023, 11, 19)]


def test_agreement_silence_and_open_renewals_are_no_disagreements():
    assert checkpoints("green", "churned").is_empty()
    assert checkpoints(None, "churned").is_empty()
    assert checkpoints("red", "open").is_empty()
    nothing = {f"{feed}_stale_days": 9 for feed in ("usage", "crm", "orders")}
    assert checkpoints("red", "churned", **nothing).is_empty()


def test_cohorts_are_tenths_with_their_losses_and_drift():
    past = signals(
        *(
            customer(f"c{i:02}", on=ORIGIN, nps_score=float(i) if i < 20 else None)
            for i in range(40)
        )
    ).with_columns(is_lost=pl.Series([i < 2 for i in range(40)]))
    tonight = signals(*(customer(f"c{i:02}", nps_score=0.0) for i in range(10)))
    resamples = Resamples(past["customer_id"], 100)
    found = list_cohorts(past, tonight, resamples, RULES.report).filter(
        pl.col("signal") == "nps_score"
    )
    assert found["bin"].to_list() == list(range(11))
    assert found["n"].to_list() == [20] + [2] * 10
    assert found["loss_rate"].to_list() == [0.0, 1.0] + [0.0] * 9
    assert (found["value_low"][1], found["value_high"][1]) == (0.0, 1.0)
    assert found["drift"].to_list() == pytest.approx([-0.5, 0.95] + [-0.05] * 9)


def test_equal_values_stay_in_one_cohort():
    past = signals(*(customer(f"c{i}", on=ORIGIN) for i in range(30))).with_columns(
        is_lost=pl.Series(np.zeros(30, dtype=bool))
    )
    found = list_cohorts(past, past, Resamples(past["customer_id"], 100), RULES.report)
    assert found.filter(pl.col("signal") == "nps_score").select("bin", "n").rows() == [(1, 30)]
    assert found["drift"].abs().max() == 0
