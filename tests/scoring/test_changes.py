"""The change ledger: exact parts in a fixed order, each a sentence with figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.changes import LastNight, list_changes
from scoring.config import Language, Rules, load_rules
from scoring.health import score_customers
from tests.scoring.contract_frames import CONNECTED, NIGHT, customer, signals
from tests.scoring.test_health import any_customer, as_customers, connections

RULES = load_rules()
OTHER_RULES = load_rules(
    {
        "health": {"components": {"support": {"weight": 0}, "sentiment": {"weight": 20}}},
        "segments": {"enterprise": {"components": {"usage_level": {"weight": 40}}}},
    }
)
LAST = NIGHT - timedelta(days=1)
Row = dict[str, Any]


def changes(
    before: list[Row],
    now: list[Row],
    late: list[Row] | None = None,
    *,
    rules: tuple[Rules, Rules] = (RULES, RULES),
    connected: tuple[frozenset[str], frozenset[str]] = (CONNECTED, CONNECTED),
    language: Language = "en",
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The ledger, and the scores of last night as said and of tonight."""
    inputs = signals(*({**row, "as_of_date": LAST, "known_on": LAST} for row in before))
    then = inputs if late is None else signals(*({**row, "as_of_date": LAST} for row in late))
    said = score_customers(inputs, rules[0], connected[0])
    tonight = score_customers(signals(*now), rules[1], connected[1])
    last = LastNight(LAST, said.select("customer_id", "health_score"), inputs, connected[0])
    return list_changes(tonight, last, then, rules[1], language), said, tonight


def sentences(ledger: pl.DataFrame) -> dict[str, str]:
    return dict(ledger.select("part", "sentence").iter_rows())


@settings(max_examples=20)
@given(
    nights=st.lists(st.tuples(any_customer, any_customer, any_customer), min_size=1, max_size=8),
    rules=st.tuples(*[st.sampled_from([RULES, OTHER_RULES])] * 2),
    connected=st.tuples(connections, connections),
)
def test_the_parts_sum_to_the_change_whatever_changes(nights, rules, connected):
    before, late, now = (as_customers([story[i] for story in nights]) for i in range(3))
    ledger, said, tonight = changes(before, now, late, rules=rules, connected=connected)
    parts = ledger.group_by("customer_id").agg(pl.col("delta").sum())
    scores = tonight.select("customer_id", now="health_score").join(
        said.select("customer_id", before="health_score"), on="customer_id"
    )
    both = scores.drop_nulls().join(parts, on="customer_id", how="left")
    error = pl.col("now") - pl.col("before") - pl.col("delta").fill_null(0.0)
    assert both.select(error.abs().max()).item() in (None, pytest.approx(0, abs=1e-9))
    assert set(ledger["customer_id"]) <= set(both["customer_id"])
    assert not ledger.select(pl.struct("customer_id", "part").is_duplicated().any()).item()


def test_what_fell_is_said_with_its_figures():
    ledger, _, _ = changes(
        [customer(login_trend_slope=0.0)],
        [customer(login_trend_slope=-0.05, active_user_count_28d=17)],
    )
    assert ledger.select("part", "delta").rows() == [("usage_trend", pytest.approx(-100 * 15 / 90))]
    assert sentences(ledger) == {
        "usage_trend": "Usage trend -16.7 points: active users fell from 42 to 17 in four weeks."
    }


def test_what_it_was_before_is_said_beside_the_same_figure_only():
    level = [customer(usage_level_ratio=1.0)], [customer(usage_level_ratio=0.6)]
    assert sentences(changes(*level)[0]) == {
        "usage_level": "Usage level -9.3 points: use is at 60 % of what this customer has shown or"
        " bought seats for (before: 100 %)."
    }
    owner = [customer(has_owner=True)], [customer(has_owner=False)]
    (said,) = sentences(changes(*owner)[0]).values()
    assert said.endswith("points: nobody owns this customer.")
    (said,) = sentences(changes(*reversed(owner))[0]).values()
    assert said.endswith("points: somebody owns it went from no to yes.")


def test_a_component_that_lost_a_signal_says_so():
    before = [customer(contact_age_ratio=2.0, has_champion_left=True)]
    now = [customer(contact_age_ratio=2.0, has_champion_left=None)]
    # Of 5 weights (3 x 50 + 0 + 100) / 5 is 50, without the champion's (3 x 50 + 100) / 4 is 62.5.
    said = "Relationship +1.4 points: it is measured by other signals than before."
    assert sentences(changes(before, now)[0]) == {"relationship": said}
    chinese = sentences(changes(before, now, language="zh")[0])
    assert chinese == {"relationship": "客户关系 +1.4 分：所依据的指标与此前不同。"}


def test_what_rose_is_said_from_to():
    before, now = [customer(days_since_last_use=12)], [customer(days_since_last_use=6)]
    assert sentences(changes(before, now)[0]) == {
        "usage_level": "Usage level +2.4 points: days since last use went from 12 to 6."
    }
    assert sentences(changes(before, now, language="zh")[0]) == {
        "usage_level": "使用水平 +2.4 分：距上次使用天数由 12 变为 6。"
    }


def test_data_that_came_late_are_a_part_of_their_own():
    ledger, _, _ = changes(
        [customer(nps_score=9.0)], [customer(nps_score=6.0)], [customer(nps_score=6.0)]
    )
    assert sentences(ledger) == {
        "late_data": f"Data that came late make the score of {LAST} 97.2 instead of 100.0."
    }


def test_what_changed_since_is_told_after_what_came_late_and_from_there_on():
    ledger, _, _ = changes(
        [customer(nps_score=9.0)], [customer(nps_score=4.5)], [customer(nps_score=6.0)]
    )
    assert ledger["part"].to_list() == ["late_data", "sentiment"]
    # From 50 to 25 of 100, with 5 of 90 weights.
    assert sentences(ledger)["sentiment"] == (
        "Sentiment -1.4 points: last NPS answer 4.5 of 10 (before: 6)."
    )


def test_a_part_is_told_by_the_signal_that_moved_most_and_however_small_it_is():
    before = customer(usage_level_ratio=1.0, days_since_last_use=5, login_trend_slope=0.0)
    now = customer(usage_level_ratio=0.99, days_since_last_use=28, login_trend_slope=-0.0001)
    ledger, _, _ = changes([before], [now])
    # 2 x 1.25 and 100 points of 3 with 25 of 90 weights; 0.2 points with 15 of them.
    assert ledger.select("part", "delta").rows() == [
        ("usage_level", pytest.approx(-(2 * 1.25 + 100) / 3 * 25 / 90)),
        ("usage_trend", pytest.approx(-0.2 * 15 / 90)),
    ]
    assert sentences(ledger)["usage_level"].endswith("points: no use for 28 days (before: 5).")


def test_new_rules_and_a_new_segment_are_a_part_of_their_own():
    low = customer(nps_score=3.0)
    ruled, _, _ = changes([low], [low], rules=(RULES, OTHER_RULES))
    assert sentences(ruled) == {
        "rules": f"Tonight's rules give the score of {LAST} 78.9 instead of 94.4."
    }
    moved, _, _ = changes(
        [low], [{**low, "segment": "enterprise"}], rules=(OTHER_RULES, OTHER_RULES)
    )
    assert sentences(moved)["rules"].startswith("In segment enterprise instead of smb, the score")


@pytest.mark.parametrize(
    ("segment", "said"), [("low", "客群由low改为enterprise，"), (None, "客群由无改为enterprise，")]
)
def test_a_segment_is_called_what_the_company_calls_it(segment, said):
    before, now = customer(nps_score=3.0, segment=segment), customer(nps_score=3.0)
    now["segment"] = "enterprise"
    ledger, _, _ = changes([before], [now], rules=(OTHER_RULES, OTHER_RULES), language="zh")
    assert sentences(ledger)["rules"].startswith(said)


def test_a_source_that_is_lost_changes_what_is_measured_and_nothing_else():
    low = customer(nps_score=3.0)
    ledger, _, _ = changes([low], [{**low, "survey_age_days": None, "nps_score": None}])
    assert sentences(ledger) == {
        "measured": "What is measured changed (no longer sentiment): +5.6 points."
    }


def test_a_customer_without_a_score_on_one_of_the_nights_has_no_parts():
    ledger, _, _ = changes([customer("a")], [customer("b")])
    assert ledger.is_empty()
    nothing = list_changes(
        score_customers(signals(customer()), RULES, CONNECTED),
        None,
        signals(customer()),
        RULES,
        "en",
    )
    assert nothing.is_empty()
