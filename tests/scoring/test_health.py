"""Health scores: their arithmetic, what missing and stale values do, reasons."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.config import Rules, load_rules
from scoring.health import (
    add_reason,
    list_components,
    nearest_date,
    score_customers,
    unconnected_components,
)
from tests.scoring.contract_frames import CONNECTED, customer, signals

RULES = load_rules()


def score(
    *rows: dict[str, Any], rules: Rules = RULES, connected: frozenset[str] = CONNECTED
) -> pl.DataFrame:
    return score_customers(signals(*rows), rules, connected)


def component(name: str, rules: Rules = RULES, **changes: Any) -> dict[str, Any]:
    scored = score(customer(**changes), rules=rules)
    listed = list_components(scored, rules).filter(pl.col("component") == name)
    return listed.row(0, named=True)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


ratios = st.floats(-1, 3, allow_nan=False)
days = st.integers(0, 400)
any_customer = st.fixed_dictionaries(
    {
        "segment": maybe(st.sampled_from(["smb", "enterprise"])),
        "tenure_days": maybe(days),
        "usage_level_ratio": maybe(ratios),
        "days_since_last_use": maybe(days),
        "login_trend_slope": maybe(ratios),
        "core_breadth_ratio": maybe(ratios),
        "core_depth_per_week": maybe(st.floats(0, 50, allow_nan=False)),
        "value_week_count_28d": maybe(st.integers(0, 4)),
        "onboarding_status": maybe(st.sampled_from(["stuck", "failed", "succeeded", "unmeasured"])),
        "onboarding_days": maybe(days),
        "onboarding_on_time_ratio": maybe(ratios),
        "contact_age_ratio": maybe(ratios),
        "has_champion_left": maybe(st.booleans()),
        "has_owner": maybe(st.booleans()),
        "open_ticket_count": maybe(st.integers(0, 3)),
        "unanswered_ticket_count": maybe(st.integers(0, 3)),
        "ticket_csat_180d": maybe(st.floats(1, 5)),
        "nps_score": maybe(st.integers(0, 10).map(float)),
        "overdue_days": maybe(days),
        "mrr_change_ratio_90d": maybe(ratios),
        "last_outcome": maybe(st.sampled_from(["renewed_early", "churned", "open"])),
        "usage_stale_days": maybe(st.integers(0, 6)),
        "crm_stale_days": maybe(st.integers(0, 6)),
        "orders_stale_days": maybe(st.integers(0, 6)),
    }
)
connections = st.sets(st.sampled_from(sorted(CONNECTED))).map(frozenset)


def test_a_healthy_customer_scores_100_and_is_fully_covered():
    row = score(customer()).row(0, named=True)
    assert (row["health_score"], row["coverage"]) == pytest.approx((100.0, 1.0))
    assert (row["score_low"], row["score_high"]) == pytest.approx((100.0, 100.0))


def test_a_signal_scores_in_a_straight_line_between_worst_and_best():
    found = [
        component("sentiment", nps_score=nps)["component_score"] for nps in (0.0, 3.0, 6.0, 9.0, 10)
    ]
    assert found == pytest.approx([0, 0, 50, 100, 100])


def test_a_component_is_the_weighted_mean_of_its_measured_signals():
    # contact 50 with weight 3, champion gone 0 with weight 1, owner 100 with weight 1
    row = component("relationship", contact_age_ratio=2.0, has_champion_left=True)
    assert row["component_score"] == pytest.approx((3 * 50 + 0 + 100) / 5)
    assert (row["signal"], row["value"]) == ("contact_age_ratio", 2.0)


def test_an_unmeasured_component_leaves_the_score_and_widens_the_bounds():
    row = score(customer(nps_score=None, onboarding_days=None)).row(0, named=True)
    assert row["health_score"] == pytest.approx(100.0)
    assert row["coverage"] == pytest.approx(85 / 90)
    assert row["score_low"] == pytest.approx(100 * 85 / 90)
    assert row["score_high"] == pytest.approx(100.0)


def test_rounding_never_puts_a_score_above_100():
    gaps = ["nps_score", "onboarding_days", "overdue_days", "mrr_change_ratio_90d"]
    gaps += ["contact_age_ratio", "usage_level_ratio", "login_trend_slope", "core_breadth_ratio"]
    rows = [
        customer(**dict.fromkeys(chosen))
        for size in range(4)
        for chosen in itertools.combinations(gaps, size)
    ]
    scored = score(*rows)
    assert scored["health_score"].max() == scored["score_high"].max() == 100.0


def test_a_source_that_was_never_connected_is_not_applicable():
    row = score(customer(), connected=CONNECTED - {"tickets"}).row(0, named=True)
    assert row["support.is_applicable"] is False
    assert row["coverage"] == pytest.approx(1.0)


def test_no_tickets_is_no_information():
    row = component("support", open_ticket_count=0, ticket_count_90d=0, ticket_csat_180d=None)
    assert (row["is_applicable"], row["contribution"]) == (False, 0.0)


def test_onboarding_counts_in_the_first_year():
    assert component("onboarding", onboarding_days=365)["is_applicable"] is True
    assert component("onboarding", onboarding_days=366)["is_applicable"] is False


def test_a_stale_source_keeps_its_value_three_days_and_is_then_unmeasured():
    third = component("usage_level", usage_stale_days=3)
    fourth = component("usage_level", usage_stale_days=4)
    assert (third["is_measured"], third["stale_days"]) == (True, 3)
    assert (fourth["is_applicable"], fourth["is_measured"]) == (True, False)
    assert (fourth["component_score"], fourth["stale_days"]) == (None, 4)


def test_a_segment_has_its_own_weights_and_ranges():
    own = {"components": {"sentiment": {"weight": 50, "signals": {"nps_score": {"best": 5}}}}}
    rules = load_rules({"segments": {"enterprise": own}})
    listed = list_components(
        score(
            customer("a", nps_score=4.0),
            customer("b", nps_score=4.0, segment="enterprise"),
            customer("c", nps_score=4.0, segment=None),
            rules=rules,
        ),
        rules,
    ).filter(pl.col("component") == "sentiment")
    assert listed["weight"].to_list() == [5.0, 50.0, 5.0]
    assert listed["component_score"].to_list() == pytest.approx([100 / 6, 50, 100 / 6])


def test_a_component_of_weight_nothing_is_not_listed():
    rules = load_rules({"health": {"components": {"support": {"weight": 0}}}})
    listed = list_components(score(customer(), rules=rules), rules)
    assert "support" not in listed["component"].to_list()


companies = st.lists(any_customer, min_size=1, max_size=15)


def as_customers(rows: list[dict[str, Any]], **changes: Any) -> list[dict[str, Any]]:
    return [customer(f"c{i:02}", **{**row, **changes}) for i, row in enumerate(rows)]


@settings(max_examples=20)
@given(rows=companies, connected=connections)
def test_contributions_sum_to_the_score_and_the_score_lies_between_its_bounds(rows, connected):
    scored = score(*as_customers(rows), connected=connected)
    for row in scored.iter_rows(named=True):
        listed = list_components(scored.filter(customer_id=row["customer_id"]), RULES)
        measured = listed.filter("is_measured")
        applicable = listed.filter("is_applicable")["weight"].sum()
        assert measured["is_applicable"].all()
        if row["health_score"] is None:
            assert measured.is_empty() and listed["contribution"].sum() == 0
            continue
        assert abs(listed["contribution"].sum() - row["health_score"]) <= 1e-9
        assert 0 <= row["score_low"] <= row["health_score"] <= row["score_high"] <= 100 + 1e-9
        assert row["coverage"] == pytest.approx(measured["weight"].sum() / applicable)


@settings(max_examples=20)
@given(rows=companies, gone=st.sampled_from(["usage", "crm", "orders"]))
def test_a_missing_source_never_helps_or_hurts_beyond_the_bounds(rows, gone):
    fresh = {f"{feed}_stale_days": 0 for feed in ("usage", "crm", "orders")}
    full = score(*as_customers(rows, **fresh))
    missing = score(*as_customers(rows, **{**fresh, f"{gone}_stale_days": 9}))
    for whole, part in zip(full.iter_rows(named=True), missing.iter_rows(named=True), strict=True):
        if whole["health_score"] is not None:
            assert part["score_low"] - 1e-9 <= whole["score_low"]
            assert whole["score_high"] <= part["score_high"] + 1e-9


@settings(max_examples=20)
@given(rows=companies)
def test_the_score_of_a_customer_does_not_depend_on_its_neighbours(rows):
    customers = as_customers(rows)
    together = score(*customers)
    assert together.equals(score(*reversed(customers)))
    assert together.head(1).equals(score(customers[0]))


def test_the_reason_names_the_figures_that_cost_most():
    scored = score(
        customer(login_trend_slope=-0.05, active_user_count_28d=17, contact_age_ratio=1.5)
    ).with_columns(health_band=pl.lit("yellow"))
    assert add_reason(scored, RULES, "en")["reason"].item() == (
        "Score 82 of 100, yellow: active users fell from 42 to 17 in four weeks; "
        "last contact 10 days ago, planned every 30."
    )
    assert add_reason(scored, RULES, "zh")["reason"].item() == (
        "健康分 82（满分 100），黄：活跃用户四周内由 42 人降至 17 人；"
        "最近一次联系在 10 天前（计划每 30 天一次）。"
    )


def test_a_level_of_nothing_is_no_share_of_what_was_never_shown():
    scored = score(customer(usage_level_ratio=0.0, days_since_last_use=None)).with_columns(
        health_band=pl.lit("yellow")
    )
    assert "no use in the last four weeks" in add_reason(scored, RULES, "en")["reason"].item()
    assert "最近四周没有使用" in add_reason(scored, RULES, "zh")["reason"].item()


def test_a_signal_without_a_wording_is_said_by_its_name():
    own = {
        "weight": 40,
        "signals": {
            "survey_age_days": {"worst": 100, "best": 0, "entities": ["surveys"], "feed": "crm"}
        },
    }
    rules = load_rules({"health": {"components": {"freshness": own}}})
    scored = score(customer(survey_age_days=80), rules=rules).with_columns(
        health_band=pl.lit("yellow")
    )
    assert "survey age days is 80" in add_reason(scored, rules, "en")["reason"].item()


def test_a_customer_of_whom_nothing_is_measured_has_no_score():
    scored = score(customer(), connected=frozenset())
    row = scored.row(0, named=True)
    assert row["health_score"] is None and row["coverage"] is None
    said = add_reason(scored.with_columns(health_band=pl.lit("unknown")), RULES, "en")
    assert said["reason"].item() == "Unknown: nothing of the score is measured."


def test_where_no_event_names_its_user_what_needs_users_does_not_apply():
    nameless = dict.fromkeys(("usage_level_ratio", "login_trend_slope", "value_week_count_28d"))
    row = score(customer(**nameless), connected=CONNECTED - {"product_events.user_id"})
    assert row["coverage"].item() == 1.0 and row["health_score"].item() is not None
    told = row.select("usage_level.is_applicable", "usage_trend.is_applicable").row(0)
    assert told == (False, False)
    assert row["breadth_and_depth.is_measured"].item()
    # Named once, they are missed where they are not there.
    assert score(customer(**nameless))["coverage"].item() < 0.6


def test_what_is_told_by_use_and_crm_needs_only_one_of_them_but_both_fresh():
    """Value tells whether an onboarding succeeded where no steps are kept."""
    without_crm = CONNECTED - {"onboarding_steps"}
    row = score(customer(onboarding_days=100, crm_stale_days=None), connected=without_crm)
    assert row["onboarding.is_measured"].item() and row["onboarding.component_score"].item() == 100
    for feed in ("usage", "crm"):
        stale = component("onboarding", onboarding_days=100, **{f"{feed}_stale_days": 4})
        assert (stale["is_applicable"], stale["is_measured"], stale["stale_days"]) == (
            True,
            False,
            4,
        )
    never = dict.fromkeys(("usage_stale_days", "crm_stale_days"))
    assert not component("onboarding", onboarding_days=100, **never)["is_applicable"]


def test_a_company_that_keeps_messages_alone_has_a_relationship():
    others = {"interactions", "tickets", "surveys", "contacts", "ownerships"}
    row = score(customer(contact_age_ratio=2.0), connected=CONNECTED - others)
    assert row["relationship.component_score"].item() == 50


def test_components_never_connected_are_named_with_their_weight():
    assert unconnected_components(RULES, CONNECTED - {"surveys", "tickets"}) == {
        "support": 10.0,
        "sentiment": 5.0,
    }


def test_the_nearest_date_is_the_earlier_of_two_and_none_beyond_the_tolerance():
    day = date(2024, 3, 5)
    near = [day - timedelta(days=2), day + timedelta(days=2), day + timedelta(days=9)]
    assert nearest_date(day, near, 3) == day - timedelta(days=2)
    assert nearest_date(day, near, 1) is None
