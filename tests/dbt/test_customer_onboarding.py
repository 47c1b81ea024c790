"""The onboarding clock, and the status it is judged by."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.settings import Definitions
from tests.warehouse import Rows, run_models

NIGHT = "2024-06-30"
SUBSCRIPTION = {
    "subscription_id": "s",
    "customer_id": "a",
    "term_start": "2024-01-01",
    "term_end": "2025-01-01",
    "mrr": 100,
}
VALUE = Definitions.model_validate({"use": {"value_events": ["report"]}})


def step(name: str, **more: Any) -> dict[str, Any]:
    return {"customer_id": "a", "round_no": 1, "step": name} | more


def use(day: str, event_name: str = "report") -> dict[str, Any]:
    return {
        "occurred_at": f"{day}T10:00:00Z",
        "customer_id": "a",
        "user_id": "u",
        "event_name": event_name,
    }


def clocks(**raw: Rows) -> list[tuple[Any, ...]]:
    connection = run_models(
        {"subscriptions": [SUBSCRIPTION], **raw}, NIGHT, ["int_onboarding_clocks"]
    )
    return connection.execute(
        """
        select round_no, clock_date::varchar from night.intermediate.int_onboarding_clocks
        where customer_id = 'a' order by 1
        """
    ).fetchall()


def status(day: str = NIGHT, **raw: Rows) -> tuple[Any, ...]:
    connection = run_models(
        {"subscriptions": [SUBSCRIPTION], **raw},
        NIGHT,
        ["int_onboarding_at_dates"],
        definitions=VALUE,
    )
    found = connection.execute(
        f"""
        select onboarding_status, onboarding_days, onboarding_on_time_ratio
        from night.intermediate.int_onboarding_at_dates
        where customer_id = 'a' and as_of_date = '{day}' and known_on = '{day}'
        """
    ).fetchall()
    return found[0]


ACCEPTED = {"accepted_at": "2024-02-10T09:00:00Z", "done_at": "2024-02-09T09:00:00Z"}
GONE_LIVE = step("go_live", done_at="2024-01-20T09:00:00Z")
SERVICE = {
    "service_id": "v",
    "customer_id": "a",
    "state": "active",
    "starts_on": "2024-01-05",
}


def test_the_clock_starts_with_the_term_when_nothing_else_is_known():
    assert clocks() == [(1, "2024-01-01")]


def test_the_first_service_goes_before_the_term():
    assert clocks(services=[SERVICE, SERVICE | {"service_id": "w", "starts_on": "2024-01-09"}]) == [
        (1, "2024-01-05")
    ]


def test_going_live_goes_before_the_service_and_acceptance_before_going_live():
    assert clocks(services=[SERVICE], onboarding_steps=[GONE_LIVE]) == [(1, "2024-01-20")]
    accepted = [GONE_LIVE, step("training", **ACCEPTED)]
    assert clocks(services=[SERVICE], onboarding_steps=accepted) == [(1, "2024-02-10")]


def test_a_second_round_has_a_clock_of_its_own():
    second = step("training", **ACCEPTED) | {"round_no": 2}
    assert clocks(onboarding_steps=[second]) == [(1, "2024-01-01"), (2, "2024-02-10")]


def test_a_trial_does_not_start_the_clock():
    trial = SUBSCRIPTION | {"subscription_id": "t", "term_start": "2023-12-01", "is_trial": True}
    trial |= {"term_end": "2024-01-01"}
    assert clocks(subscriptions=[SUBSCRIPTION, trial]) == [(1, "2024-01-01")]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2024-01-14", "in_progress"),
        ("2024-02-25", "succeeded"),
        ("2024-06-30", "succeeded"),
    ],
)
def test_value_within_the_days_of_first_value_is_success(day, expected):
    events = [use("2024-01-02", "login"), use("2024-02-20")]
    assert status(day, product_events=events)[0] == expected


def test_no_value_within_the_days_of_first_value_is_failure():
    events = [use("2024-01-02", "login"), use("2024-05-20")]
    assert status("2024-03-24", product_events=events)[0] == "in_progress"
    assert status("2024-03-31", product_events=events)[0] == "failed"
    assert status(product_events=events) == ("failed", 181, None)


def test_without_steps_and_without_use_onboarding_is_not_measured():
    assert status() == ("unmeasured", 181, None)


def test_a_step_overdue_is_stuck_and_overdue_at_the_end_is_failure():
    steps = [
        step("kick_off", started_at="2024-01-02", done_at="2024-01-03", due_on="2024-01-05"),
        step("import", due_on="2024-02-01"),
    ]
    assert status("2024-01-28", onboarding_steps=steps)[0] == "in_progress"
    assert status("2024-02-04", onboarding_steps=steps) == ("stuck", 34, 0.5)
    assert status("2024-04-07", onboarding_steps=steps)[0] == "failed"


def test_target_days_stand_in_for_a_due_date():
    steps = [
        step("kick_off", started_at="2024-01-02", done_at="2024-01-03", target_days=5),
        step("import", target_days=30),
    ]
    assert status("2024-01-28", onboarding_steps=steps)[0] == "in_progress"
    assert status("2024-02-04", onboarding_steps=steps)[0] == "stuck"


def test_steps_done_without_any_measure_of_use_are_success():
    steps = [step("kick_off", started_at="2024-01-02", done_at="2024-01-03")]
    assert status("2024-01-07", onboarding_steps=steps)[0] == "succeeded"


def test_steps_planned_and_not_begun_are_not_started():
    assert status("2024-01-07", onboarding_steps=[step("kick_off")])[0] == "not_started"


def test_what_is_begun_done_and_accepted_on_a_day_counts_on_it():
    day, now = "2024-02-11", "2024-02-11T09:00:00Z"
    planned = step("go_live", due_on="2024-03-01", _known_at="2024-01-02T00:00:00Z")
    found = [
        status(day, onboarding_steps=[planned | more])[:2]
        for more in ({}, {"started_at": now}, {"done_at": now}, {"accepted_at": now})
    ]
    # 1 January is 41 days ago; what is done or accepted moves the clock to the day.
    assert found == [("not_started", 41), ("in_progress", 41), ("succeeded", 0), ("succeeded", 0)]


def test_a_step_done_on_its_day_is_on_time_and_one_due_today_is_asked():
    day = "2024-02-11"
    due = step("go_live", due_on=day, _known_at="2024-01-02T00:00:00Z")
    assert status(day, onboarding_steps=[due])[2] == 0
    assert status(day, onboarding_steps=[due | {"done_at": f"{day}T09:00:00Z"}])[2] == 1


def test_overdue_on_the_last_day_is_failure_due_or_done_on_it_is_not():
    """The 90th day after 1 January is 31 March."""
    late = {"due_on": "2024-03-30"}
    found = [
        status(onboarding_steps=[step("kick_off", _known_at="2024-01-02T00:00:00Z", **planned)])[0]
        for planned in (
            late,
            {"due_on": "2024-03-31"},
            late | {"done_at": "2024-03-31T09:00:00Z"},
            late | {"done_at": "2024-04-01T09:00:00Z"},
        )
    ]
    assert found == ["failed", "stuck", "succeeded", "failed"]


def test_value_is_missed_where_a_feed_began_within_the_clocks_first_week():
    for day, expected in (("2024-01-07", "failed"), ("2024-01-08", "unmeasured")):
        assert status(product_events=[use(day, "login")])[0] == expected
