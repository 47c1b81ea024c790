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
