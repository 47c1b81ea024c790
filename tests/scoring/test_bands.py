"""Bands over several nights: hysteresis, confirmation, and unknown."""

from __future__ import annotations

import pytest

from scoring.config import load_rules
from tests.scoring.contract_frames import customer
from tests.scoring.nights import Story, band, weak

# One component, so that a story can set the score itself: nps 0 to 10 is score 0 to 100.
ONLY_NPS = load_rules(
    {
        "health": {
            "components": {
                **{
                    name: {"weight": 0}
                    for name in load_rules().health.components
                    if name != "sentiment"
                },
                "sentiment": {"signals": {"nps_score": {"worst": 0, "best": 10}}},
            }
        }
    }
)


def tell(tmp_path, *scores: float | None) -> list[str]:
    story = Story(tmp_path, ONLY_NPS)
    return [
        band(story.night(customer(nps_score=None if score is None else score / 10)))
        for score in scores
    ]


@pytest.mark.parametrize(
    ("scores", "bands"),
    [
        ([49, 52, 54, 56, 56], ["red", "red", "red", "red", "yellow"]),
        ([71, 66, 64, 64], ["green", "green", "green", "yellow"]),
        ([68, 68], ["yellow", "yellow"]),
        ([90, 20, 90, 20, 20], ["green", "green", "green", "green", "red"]),
    ],
)
def test_a_band_is_entered_and_left_at_different_scores_and_confirmed(tmp_path, scores, bands):
    assert tell(tmp_path, *scores) == bands


def test_after_the_first_year_four_weeks_without_use_are_red_however_well_all_else_is(tmp_path):
    unused = {
        "days_since_last_use": 28,
        "usage_level_ratio": 0.0,
        "login_trend_slope": None,
        "active_user_count_28d": 0,
        "core_breadth_ratio": 0.0,
        "core_depth_per_week": None,
        "value_week_count_28d": 0,
    }
    assert band(Story(tmp_path).night(customer(**unused))) == "red"


def test_unknown_is_said_at_once_and_the_band_goes_on_from_where_it_was(tmp_path):
    assert tell(tmp_path, 90, None, 20, 20) == ["green", "unknown", "green", "red"]


def test_a_feed_that_stops_makes_customers_unknown_not_red(tmp_path):
    story = Story(tmp_path)
    assert band(story.night(customer())) == "green"
    assert band(story.night(weak(usage_stale_days=4))) == "unknown"


def test_a_missed_night_is_no_night_said(tmp_path):
    story = Story(tmp_path)
    story.night(customer())
    assert band(story.night(weak())) == "green"
    assert band(story.night(weak(), skip_days=5)) == "red"


def test_the_same_night_again_is_no_second_night(tmp_path):
    story = Story(tmp_path)
    story.night(customer())
    first = story.night(weak())
    again = story.again(first.as_of_date, weak(), run_id="another")
    assert band(first) == band(again) == "green"
    assert band(story.night(weak())) == "red"
