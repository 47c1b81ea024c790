"""Warnings over several nights: opened, ongoing, snoozed, closed; ranked within the budget."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from scoring.config import load_rules
from scoring.episodes import identify
from tests.scoring.contract_frames import NIGHT, customer
from tests.scoring.nights import Story, table, warning

GONE = {"has_champion_left": True}


def codes(row: dict[str, Any]) -> list[str]:
    return [driver["code"] for driver in json.loads(row["drivers"])]


def told(row: dict[str, Any] | None) -> Any:
    return None if row is None else (row["status"], row["opened_on"], row["closed_on"])


def day(number: int) -> Any:
    return NIGHT + timedelta(days=number)


def test_on_the_first_night_ever_a_reason_opens_at_once(tmp_path):
    row = warning(Story(tmp_path).night(customer(**GONE)))
    assert row is not None
    assert told(row) == ("opened", NIGHT, None)
    assert row["warning_id"] == identify("a", "risk", NIGHT)
    assert json.loads(row["drivers"]) == [
        {"code": "champion_left", "sentence": "The champion has left."}
    ]
    assert (row["playbook"], row["due_date"]) == ("new_champion", day(5))


def test_later_a_reason_opens_on_the_second_night_that_saw_it(tmp_path):
    story = Story(tmp_path)
    nights = [customer(), customer(**GONE), customer(**GONE), customer(**GONE)]
    assert [told(warning(story.night(row))) for row in nights] == [
        None,
        None,
        ("opened", day(2), None),
        ("ongoing", day(2), None),
    ]


def test_a_new_customer_needs_two_nights_too(tmp_path):
    story = Story(tmp_path)
    story.night(customer("b"))
    nights = [story.night(customer("b"), customer("a", **GONE)) for _ in range(2)]
    assert [told(warning(night)) for night in nights] == [None, ("opened", day(2), None)]


def test_a_night_not_said_confirms_nothing(tmp_path):
    story = Story(tmp_path)
    story.night(customer())
    story.night(customer(**GONE), is_said=False)
    assert warning(story.night(customer(**GONE))) is None


def test_a_warning_closes_on_the_second_night_without_a_reason_and_stays_listed(tmp_path):
    story = Story(tmp_path)
    nights = [customer(**GONE), customer(), customer(), customer()]
    rows = [warning(story.night(row)) for row in nights]
    assert [told(row) for row in rows] == [
        ("opened", NIGHT, None),
        ("ongoing", NIGHT, None),
        ("closed", NIGHT, day(2)),
        ("closed", NIGHT, day(2)),
    ]
    assert rows[1] is not None and "no longer so tonight" in rows[1]["drivers"]
    assert rows[2] is not None and rows[2]["close_reason"] == "reasons_ended"
    assert (rows[2]["rank"], rows[2]["is_within_budget"]) == (None, False)


def test_the_reason_that_opened_stays_and_later_ones_join_the_drivers(tmp_path):
    story = Story(tmp_path)
    story.night(customer(**GONE))
    story.night(customer(**GONE, active_user_count_28d=10))
    row = warning(story.night(customer(**GONE, active_user_count_28d=10)))
    assert row is not None
    assert row["reason_code"] == "champion_left"
    assert codes(row) == ["usage_down", "champion_left"]


def test_of_several_reasons_the_first_in_the_rules_order_opens(tmp_path):
    row = warning(Story(tmp_path).night(customer(**GONE, active_user_count_28d=10)))
    assert row is not None and row["reason_code"] == "usage_down"


def test_an_open_reason_goes_on_until_its_exit_threshold(tmp_path):
    story = Story(tmp_path)
    story.night(customer(days_since_our_contact=60))
    for _ in range(3):
        row = warning(story.night(customer(days_since_our_contact=35)))
    assert told(row) == ("ongoing", NIGHT, None)


def test_a_feed_that_stops_neither_opens_nor_closes(tmp_path):
    story = Story(tmp_path)
    story.night(customer("a", active_user_count_28d=10), customer("b"))
    for _ in range(3):
        rows = table(
            story.night(
                customer("a", usage_stale_days=9),
                customer("b", active_user_count_28d=0, usage_stale_days=9),
            ),
            "churn_warnings",
        )
    assert rows.select("customer_id", "status").rows() == [("a", "ongoing")]
    assert "not measured tonight" in rows["drivers"].item()
    assert rows["held_by"].item() == "usage"


def test_a_warning_whose_reasons_could_all_be_looked_at_is_held_by_nothing(tmp_path):
    story = Story(tmp_path)
    rows = table(story.night(customer("a", active_user_count_28d=10)), "churn_warnings")
    assert rows["held_by"].to_list() == [None]
    rows = table(
        story.night(customer("a", active_user_count_28d=10, crm_stale_days=40)), "churn_warnings"
    )
    assert rows["held_by"].to_list() == [None]


@pytest.mark.parametrize("silence", [{"usage_stale_days": 9}, {"is_usage_frozen": True}])
def test_a_held_warning_that_closes_is_held_no_more(tmp_path, silence):
    story = Story(tmp_path)
    story.night(customer("a", active_user_count_28d=10), customer("b"))
    held = warning(story.night(customer("a", **silence), customer("b")))
    left = warning(story.night(customer("b")))
    assert [(row["status"], row["held_by"]) for row in (held, left) if row] == [
        ("ongoing", "usage"),
        ("closed", None),
    ]


def test_a_reason_that_ended_and_comes_back_opens_a_warning_of_its_own(tmp_path):
    story = Story(tmp_path)
    for row in (customer(**GONE), customer(), customer(), customer(**GONE)):
        story.night(row)
    rows = table(story.night(customer(**GONE)), "churn_warnings").sort("opened_on")
    assert [told(row) for row in rows.iter_rows(named=True)] == [
        ("closed", NIGHT, day(2)),
        ("opened", day(4), None),
    ]


@pytest.mark.parametrize("rows", [[customer(mrr=0.0), customer("b")], [customer("b")]])
def test_a_customer_that_left_closes_its_warnings_at_once_whatever_was_done(tmp_path, rows):
    story = Story(tmp_path)
    opened = warning(story.night(customer(**GONE), customer("b")))
    assert opened is not None
    done = {"playbook_run_id": "p", "warning_id": opened["warning_id"], "done_on": day(1)}
    night = story.night(*rows, playbook_responses=[done])
    row = warning(night)
    assert row is not None
    assert (row["status"], row["close_reason"]) == ("closed", "customer_left")
    assert table(night, "health_scores")["customer_id"].to_list() == ["b"]


def lapsed(customer_id: str = "a", days: int = 7, **changes: Any) -> dict[str, Any]:
    """In the grace of a renewal: no MRR, and 12,000 a year that ended so many days ago."""
    ended = {"mrr": 0.0, "arr": 0.0, "due_arr_12m": None, "next_renewal_date": None}
    overdue = {
        "overdue_renewal_date": NIGHT - timedelta(days=days),
        "overdue_renewal_days": days,
        "overdue_renewal_term_months": 12,
        "overdue_renewal_arr": 12000.0,
    }
    return customer(customer_id, **{**ended, "days_to_renewal": None, **overdue, **changes})


def test_who_has_not_renewed_yet_keeps_its_warning_until_the_grace_has_passed(tmp_path):
    story = Story(tmp_path)
    rows = [customer(**GONE), lapsed(**GONE), lapsed(**GONE), customer(mrr=0.0)]
    nights = [story.night(row, customer("b")) for row in rows]
    assert [told(warning(night)) for night in nights] == [
        ("opened", NIGHT, None),
        ("ongoing", NIGHT, None),
        ("ongoing", NIGHT, None),
        ("closed", NIGHT, day(3)),
    ]
    row = warning(nights[2])
    assert row is not None
    assert (row["reason_code"], codes(row)) == (
        "champion_left",
        ["renewal_overdue", "champion_left"],
    )
    # Of who has no MRR no score and no probability are said.
    assert (row["due_arr"], row["churn_probability"], row["expected_saved_arr"]) == (
        12000,
        None,
        None,
    )
    assert table(nights[2], "health_scores")["customer_id"].to_list() == ["b"]


def test_a_renewal_that_is_overdue_opens_a_warning_and_is_called_first(tmp_path):
    story = Story(tmp_path)
    soon = customer("b", days_to_renewal=1, arr=90000.0, due_arr_12m=90000.0, **GONE)
    later = customer("c", **GONE)
    rows = table(story.night(lapsed(), soon, later), "churn_warnings").sort("rank")
    assert rows.select("customer_id", "reason_code", "is_urgent").rows() == [
        ("a", "renewal_overdue", True),
        ("b", "champion_left", True),
        ("c", "champion_left", False),
    ]
    drivers = json.loads(rows["drivers"][0])
    assert drivers[0]["sentence"] == "Ended on 2024-03-05, 7 days ago, and not renewed."
    assert (rows["playbook"][0], rows["due_date"][0]) == ("renewal", day(2))


def test_a_monthly_term_that_is_late_opens_nothing_and_closes_nothing(tmp_path):
    story = Story(tmp_path)
    story.night(customer("a", **GONE), customer("b"), customer("c", **GONE))
    monthly = {"overdue_renewal_term_months": 1, "mrr_change_ratio_90d": 0.0}
    for _ in range(2):
        night = story.night(
            lapsed("a", 2, **GONE, **monthly),
            lapsed("b", 2, **monthly),
            customer("c", **GONE),
        )
    rows = table(night, "churn_warnings").sort("rank")
    assert rows.select("customer_id", "status", "is_urgent").rows() == [
        ("c", "ongoing", False),
        ("a", "ongoing", False),
    ]


def test_a_probability_is_said_with_the_horizon_it_is_of(tmp_path):
    reasons = {"high_probability": {"threshold": 0.01, "exit_threshold": 0.01}}
    churn = {"horizon_days": 60, "base_rate": 0.25}
    story = Story(tmp_path, load_rules({"churn": churn, "warnings": {"reasons": reasons}}))
    row = warning(story.night(customer()))
    assert row is not None
    (driver,) = json.loads(row["drivers"])
    said = "The probability of losing this customer within 60 days is 25 %."
    assert driver["sentence"] == said


def test_a_snoozed_warning_leaves_the_queue_and_comes_back_on_its_day(tmp_path):
    story = Story(tmp_path)
    opened = warning(story.night(customer(**GONE)))
    assert opened is not None
    answer = {
        "playbook_run_id": "p",
        "warning_id": opened["warning_id"],
        "customer_id": "a",
        "snoozed_until": day(2),
    }
    rows = [warning(story.night(customer(**GONE), playbook_responses=[answer])) for _ in range(2)]
    assert [(r["status"], r["rank"]) for r in rows if r] == [("snoozed", None), ("ongoing", 1)]


def test_a_done_playbook_closes_and_the_reason_rests_before_it_opens_again(tmp_path):
    story = Story(tmp_path, load_rules({"warnings": {"rest_days": 3}}))
    opened = warning(story.night(customer(**GONE)))
    assert opened is not None
    answer = {
        "playbook_run_id": "p",
        "warning_id": opened["warning_id"],
        "customer_id": "a",
        "started_on": NIGHT,
        "done_on": day(1),
    }
    nights = [story.night(customer(**GONE), playbook_responses=[answer]) for _ in range(4)]
    first = table(nights[0], "churn_warnings").row(0, named=True)
    assert (first["status"], first["close_reason"]) == ("closed", "playbook_done")
    opened_count = [table(n, "churn_warnings").filter(status="opened").height for n in nights]
    assert opened_count == [0, 0, 0, 1]


def test_a_snoozed_warning_closes_when_its_reasons_end(tmp_path):
    story = Story(tmp_path)
    opened = warning(story.night(customer(**GONE)))
    assert opened is not None
    answer = {"warning_id": opened["warning_id"], "customer_id": "a", "snoozed_until": day(9)}
    snoozed = {"playbook_run_id": "p", **answer}
    for _ in range(2):
        row = warning(story.night(customer(), playbook_responses=[snoozed]))
    assert row is not None and (row["status"], row["close_reason"]) == ("closed", "reasons_ended")


def test_a_playbook_that_was_done_is_done_whatever_was_snoozed(tmp_path):
    story = Story(tmp_path)
    opened = warning(story.night(customer(**GONE)))
    assert opened is not None
    about = {"warning_id": opened["warning_id"], "customer_id": "a"}
    done = {**about, "playbook_run_id": "p", "started_on": NIGHT, "done_on": day(1)}
    snoozed = {**about, "playbook_run_id": "q", "snoozed_until": day(9)}
    row = warning(story.night(customer(**GONE), playbook_responses=[done, snoozed]))
    assert row is not None and row["close_reason"] == "playbook_done"


def test_risk_and_upsell_are_episodes_of_their_own_and_upsell_saves_nothing(tmp_path):
    night = Story(tmp_path).night(customer(**GONE, login_ratio=1.1))
    rows = table(night, "churn_warnings").sort("rank")
    assert rows.select("kind", "rank").rows() == [("risk", 1), ("upsell", 2)]
    saved, none = rows["expected_saved_arr"].to_list()
    row = rows.row(0, named=True)
    assert float(saved) == pytest.approx(row["churn_probability"] * 12000 * 0.2, abs=0.005)
    assert none is None and row["is_assumed"]


def test_rank_is_by_arr_to_be_saved_then_arr_then_customer(tmp_path):
    night = Story(tmp_path).night(
        customer("a", **GONE, due_arr_12m=100.0, arr=500.0),
        customer("b", **GONE, due_arr_12m=900.0, arr=900.0),
        customer("c", **GONE, due_arr_12m=100.0, arr=600.0),
        customer("d", **GONE, due_arr_12m=100.0, arr=500.0),
    )
    rows = table(night, "churn_warnings").sort("rank")
    assert rows["customer_id"].to_list() == ["b", "c", "a", "d"]
    assert rows["rank"].to_list() == [1, 2, 3, 4]


def renews_in(days: int, **changes: Any) -> dict[str, Any]:
    return {
        "next_renewal_date": NIGHT + timedelta(days=days),
        "days_to_renewal": days,
        "next_renewal_term_months": 12,
        **changes,
    }


def test_a_renewal_due_tomorrow_takes_the_only_slot_before_a_larger_one_that_can_wait(tmp_path):
    night = Story(tmp_path).night(
        customer("large", **GONE, due_arr_12m=90000.0, arr=90000.0, **renews_in(200)),
        customer("tomorrow", **GONE, due_arr_12m=1000.0, arr=1000.0, **renews_in(1)),
        csm_capacity=[{"csm_id": "ann", "hours_left": 2.0}],
    )
    rows = table(night, "churn_warnings").sort("rank")
    found = rows.select("customer_id", "is_urgent", "is_within_budget").rows()
    assert found == [("tomorrow", True, True), ("large", False, False)]


def test_only_renewals_of_long_terms_within_the_week_cannot_wait(tmp_path):
    night = Story(tmp_path).night(
        customer("days_0", **GONE, **renews_in(0)),
        customer("days_7", **GONE, **renews_in(7)),
        customer("days_8", **GONE, **renews_in(8)),
        customer("past", **GONE, **renews_in(-1)),
        customer("monthly", **GONE, **renews_in(1, next_renewal_term_months=1)),
        customer("unknown_length", **GONE, **renews_in(1, next_renewal_term_months=None)),
        customer("no_renewal", **GONE, next_renewal_date=None, days_to_renewal=None),
    )
    rows = table(night, "churn_warnings")
    urgent = rows.filter("is_urgent")["customer_id"].sort().to_list()
    assert urgent == ["days_0", "days_7", "past", "unknown_length"]


def test_of_two_that_cannot_wait_the_one_with_more_to_save_goes_first(tmp_path):
    night = Story(tmp_path).night(
        customer("a", **GONE, due_arr_12m=100.0, **renews_in(1)),
        customer("b", **GONE, due_arr_12m=900.0, **renews_in(5)),
        customer("c", **GONE, due_arr_12m=5000.0, login_ratio=1.1, **renews_in(90)),
    )
    rows = table(night, "churn_warnings").sort("rank")
    assert rows.select("customer_id", "kind").rows() == [
        ("b", "risk"),
        ("a", "risk"),
        ("c", "risk"),
        ("c", "upsell"),
    ]


def test_an_accepted_warning_keeps_its_slot_from_one_that_cannot_wait(tmp_path):
    story = Story(tmp_path)
    capacity = [{"csm_id": "ann", "hours_left": 2.0}]
    first = story.night(customer("a", **GONE), csm_capacity=capacity)
    accepted = [
        {
            "playbook_run_id": "p",
            "warning_id": table(first, "churn_warnings")["warning_id"].item(),
            "started_on": NIGHT,
        }
    ]
    people = [customer("a", **GONE), customer("b", **GONE, **renews_in(4))]
    for _ in range(2):  # b is warned about on the second night that saw it
        night = story.night(*people, csm_capacity=capacity, playbook_responses=accepted)
    rows = table(night, "churn_warnings").sort("rank")
    assert rows.select("customer_id", "is_within_budget").rows() == [("b", False), ("a", True)]


def test_a_csm_has_the_slots_of_the_hours_left_and_what_is_cut_stays_listed(tmp_path):
    people = [customer(f"c{i}", **GONE, due_arr_12m=1000.0 - i) for i in range(4)]
    night = Story(tmp_path).night(*people, csm_capacity=[{"csm_id": "ann", "hours_left": 5.0}])
    rows = table(night, "churn_warnings").sort("rank")
    assert rows["is_within_budget"].to_list() == [True, True, False, False]


def test_an_accepted_warning_keeps_its_slot(tmp_path):
    story = Story(tmp_path)
    people = [customer(f"c{i}", **GONE, due_arr_12m=1000.0 - i) for i in range(3)]
    capacity = [{"csm_id": "ann", "hours_left": 2.0}]
    first = table(story.night(*people, csm_capacity=capacity), "churn_warnings")
    last = first.filter(pl.col("rank") == 3)["warning_id"].item()
    accepted = [{"playbook_run_id": "p", "warning_id": last, "started_on": NIGHT}]
    night = story.night(*people, csm_capacity=capacity, playbook_responses=accepted)
    rows = table(night, "churn_warnings").sort("rank")
    assert rows["is_within_budget"].to_list() == [False, False, True]


def test_without_hours_the_top_tenth_of_the_customers_is_within_budget(tmp_path):
    people = [
        customer(f"c{i:02}", csm_id=None, **(GONE if i < 6 else {}), arr=1000.0 - i)
        for i in range(20)
    ]
    rows = table(Story(tmp_path).night(*people), "churn_warnings").sort("rank")
    assert rows["csm_id"].unique().to_list() == ["unassigned"]
    assert rows["is_within_budget"].sum() == 2


def test_the_day_to_act_is_never_after_the_renewal(tmp_path):
    near = customer(
        **GONE, next_renewal_date=day(2), days_to_renewal=2, renewal_talk_started_date=NIGHT
    )
    row = warning(Story(tmp_path).night(near))
    assert row is not None and row["due_date"] == day(2)


def test_old_closed_warnings_leave_the_list(tmp_path):
    story = Story(tmp_path, load_rules({"warnings": {"keep_closed_days": 1}}))
    nights = [customer(**GONE), *[customer()] * 4]
    listed = [warning(story.night(row)) is not None for row in nights]
    assert listed == [True, True, True, True, False]


def test_warnings_speak_the_companys_language(tmp_path):
    row = warning(Story(tmp_path, language="zh").night(customer(**GONE)))
    assert row is not None and "关键支持者已离职。" in row["drivers"]
