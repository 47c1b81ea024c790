"""Each warning reason: when it begins, when it goes on, when it cannot be known, what it says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from scoring.config import load_rules
from scoring.reasons import add_warning_signals, see_reasons
from scoring.sentences import say_reason
from scoring.warnings import REASONS
from tests.scoring.contract_frames import CONNECTED, NIGHT, customer, signals

RULES = load_rules()


def see(
    code: str, *others: dict[str, Any], connected: frozenset[str] = CONNECTED, **changes: Any
) -> tuple[bool | None, bool | None]:
    """(begins, goes_on) of one reason for one customer."""
    rows = add_warning_signals(signals(customer(**changes), *others)).with_columns(
        churn_probability=pl.lit(changes.get("churn_probability", 0.03))
    )
    seen = see_reasons(rows, RULES, connected).filter(
        (pl.col("reason_code") == code) & (pl.col("customer_id") == "a")
    )
    return seen["begins"].item(), seen["goes_on"].item()


def ago(days: int) -> Any:
    return NIGHT - timedelta(days=days)


def test_a_healthy_customer_has_no_reason():
    for code in REASONS:
        begins, _ = see(code)
        assert not begins, code


LAPSED = {
    "mrr": 0.0,
    "overdue_renewal_date": ago(7),
    "overdue_renewal_days": 7,
    "overdue_renewal_term_months": 12,
    "overdue_renewal_arr": 12000.0,
}
# code, signals, (begins, goes_on)
STORIES: list[tuple[str, dict[str, Any], tuple[bool | None, bool | None]]] = [
    ("renewal_overdue", {**LAPSED, "overdue_renewal_days": 1}, (True, True)),
    ("renewal_overdue", {**LAPSED, "overdue_renewal_days": 0}, (False, False)),
    ("renewal_overdue", {**LAPSED, "overdue_renewal_term_months": 5}, (False, False)),
    ("renewal_overdue", {**LAPSED, "mrr": 1.0}, (False, False)),
    ("renewal_overdue", {**LAPSED, "orders_stale_days": 4}, (None, None)),
    (
        "state_drop",
        {"usage_state": "low", "usage_state_before": "high", "usage_state_since": ago(28)},
        (True, True),
    ),
    (
        "state_drop",
        {"usage_state": "low", "usage_state_before": "high", "usage_state_since": ago(29)},
        (False, True),
    ),
    (
        "state_drop",
        {"usage_state": "normal", "usage_state_before": "high", "usage_state_since": ago(1)},
        (False, False),
    ),
    (
        "state_drop",
        {"usage_state": "unmeasured", "usage_state_before": "high", "usage_state_since": ago(1)},
        (None, None),
    ),
    ("usage_down", {"active_user_count_28d": 29}, (True, True)),
    ("usage_down", {"active_user_count_28d": 30}, (False, True)),
    ("usage_down", {"active_user_count_28d": 36}, (False, False)),
    # 0.7 of 90 is 63, though 0.7 * 90 is a little less to a computer.
    ("usage_down", {"active_user_count_28d_before": 90, "active_user_count_28d": 63}, (True, True)),
    (
        "usage_down",
        {"active_user_count_28d_before": 4, "active_user_count_28d": 0},
        (False, False),
    ),
    ("usage_down", {"active_user_count_28d_before": None}, (None, None)),
    ("never_started", {"days_without_first_use": 30}, (True, True)),
    ("never_started", {"days_without_first_use": 29, "tenure_days": 500}, (False, False)),
    ("never_started", {"active_user_count_28d": None}, (None, None)),
    ("onboarding_stuck", {"onboarding_status": "stuck", "onboarding_days": 60}, (True, True)),
    ("onboarding_stuck", {"onboarding_status": "failed", "onboarding_days": 200}, (False, True)),
    (
        "onboarding_stuck",
        {"onboarding_status": "failed", "onboarding_days": 95, "crm_stale_days": None},
        (True, True),
    ),
    (
        "onboarding_stuck",
        {"onboarding_status": "failed", "onboarding_days": 95, "usage_stale_days": 4},
        (None, None),
    ),
    ("lost_contact_ours", {"days_since_our_contact": 60}, (True, True)),
    ("lost_contact_ours", {"days_since_our_contact": 45}, (False, True)),
    ("lost_contact_ours", {"days_since_our_contact": 29}, (False, False)),
    ("lost_contact_theirs", {"days_since_their_contact": 61}, (True, True)),
    ("champion_left", {"has_champion_left": True}, (True, True)),
    ("champion_left", {"has_champion_left": None}, (None, None)),
    ("no_owner", {"has_owner": False}, (True, True)),
    ("renewal_talk_not_started", {"days_to_renewal": 90}, (True, True)),
    ("renewal_talk_not_started", {"days_to_renewal": 91}, (False, False)),
    (
        "renewal_talk_not_started",
        {"days_to_renewal": 20, "renewal_talk_started_date": NIGHT},
        (False, False),
    ),
    (
        "renewal_talk_not_started",
        {"days_to_renewal": 20, "next_renewal_term_months": 1},
        (False, False),
    ),
    ("tickets_unanswered", {"oldest_unanswered_days": 3}, (True, True)),
    ("tickets_unanswered", {"oldest_unanswered_days": 1}, (False, True)),
    ("tickets_unanswered", {"oldest_unanswered_days": None}, (False, False)),
    ("low_survey", {"nps_score": 6.0}, (True, True)),
    ("low_survey", {"nps_score": None, "csat_score": 2.0}, (True, True)),
    ("low_survey", {"nps_score": None, "csat_score": None}, (False, False)),
    ("overdue_payment", {"overdue_days": 30, "overdue_amount": 500.0}, (True, True)),
    ("overdue_payment", {"overdue_days": 2, "overdue_amount": 500.0}, (False, True)),
    ("overdue_payment", {"overdue_days": 0, "overdue_amount": 0.0}, (False, False)),
    ("contraction", {"mrr_change_ratio_90d": 0.9}, (True, True)),
    # From 1,000 a year to 900: the quotient of two rounded twelfths.
    ("contraction", {"mrr_change_ratio_90d": 75 / 83.3333333333}, (True, True)),
    ("contraction", {"mrr_change_ratio_90d": 0.92}, (False, True)),
    ("contraction", {"mrr": 0.0, "mrr_change_ratio_90d": 0.0}, (False, False)),
    ("service_exhausted", {"days_to_exhaustion": 7}, (True, True)),
    ("service_exhausted", {"days_to_exhaustion": 10}, (False, True)),
    ("used_without_value", {"is_used_without_value": True}, (True, True)),
    ("csm_sees_risk", {"csm_view": "red"}, (True, True)),
    ("csm_sees_risk", {"csm_view": None}, (False, False)),
    ("high_probability", {"churn_probability": 0.3}, (True, True)),
    ("high_probability", {"churn_probability": 0.25}, (False, True)),
    ("seats_full", {"login_ratio": 0.95}, (True, True)),
    ("seats_full", {"login_ratio": 0.9}, (False, True)),
    ("seats_full", {"login_ratio": None}, (None, None)),
    ("quota_burn", {"days_to_exhaustion": 45}, (True, True)),
    ("quota_burn", {"days_to_exhaustion": 45, "days_to_renewal": 40}, (False, False)),
    (
        "state_rise",
        {"usage_state": "high", "usage_state_before": "low", "usage_state_since": ago(3)},
        (True, True),
    ),
    ("state_rise", {"usage_state": "high", "usage_state_before": "high"}, (False, False)),
]


@pytest.mark.parametrize(("code", "changes", "expected"), STORIES)
def test_a_reason_begins_at_its_threshold_and_ends_at_its_exit(code, changes, expected):
    assert see(code, **changes) == expected


def test_every_reason_has_a_story():
    assert {code for code, _, (begins, _) in STORIES if begins} == set(REASONS)


def test_a_stale_feed_or_one_in_outage_tells_nothing_about_use():
    assert see("usage_down", active_user_count_28d=0, usage_stale_days=4) == (None, None)
    assert see("usage_down", active_user_count_28d=0, is_usage_frozen=True) == (None, None)


def test_what_is_not_connected_does_not_warn():
    without = CONNECTED - {"interactions"}
    assert see("renewal_talk_not_started", connected=without, days_to_renewal=9) == (None, None)


def test_a_silence_is_what_is_told_of_the_customer_itself_whatever_others_have():
    unmeasured = {"days_since_our_contact": None, "tenure_days": 70}
    assert see("lost_contact_ours", customer("b"), **unmeasured) == (None, None)


def test_a_reason_says_its_figures():
    row = {"active_user_count_28d_before": 42, "active_user_count_28d": 17}
    english = REASONS["usage_down"].sentence
    assert say_reason("usage_down", english, "holds", row, "en") == (
        "Active users fell from 42 to 17 in four weeks."
    )
    assert say_reason("usage_down", english, "holds", row, "zh") == (
        "活跃用户四周内由 42 人降至 17 人。"
    )


def test_money_is_said_with_its_currency():
    row = {"overdue_amount": 1200.0, "overdue_days": 31, "currency": "CHF"}
    english = REASONS["overdue_payment"].sentence
    assert say_reason("overdue_payment", english, "holds", row, "en") == (
        "1,200 CHF overdue for 31 days."
    )
    assert say_reason("overdue_payment", english, "holds", row, "zh") == (
        "1,200 CHF 已逾期 31 天。"
    )


def test_who_came_before_the_feed_is_not_said_to_have_never_used_it():
    row = {"tenure_days": 500, "days_without_first_use": 40}
    english = REASONS["never_started"].sentence
    said = say_reason("never_started", english, "holds", row, "en")
    assert said == "No use in the 40 days in which it could have been seen."


def test_a_reason_that_no_longer_holds_tonight_does_not_repeat_old_figures():
    row = {"active_user_count_28d_before": 17, "active_user_count_28d": 42}
    english = REASONS["usage_down"].sentence
    assert say_reason("usage_down", english, "easing", row, "en") == (
        "Usage down: no longer so tonight; it ends when the next night agrees."
    )
    assert say_reason("usage_down", english, "held", row, "en").startswith(
        "Usage down: not measured"
    )
