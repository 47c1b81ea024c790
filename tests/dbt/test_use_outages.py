"""An outage of a feed is told from the silence of a customer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.feed_alarms import measure
from tests.warehouse import run_models

FIRST = dt.date(2024, 1, 1)
WORKING_DAYS = [day for offset in range(77) if (day := FIRST + dt.timedelta(offset)).weekday() < 5]
LAST_WEEK = WORKING_DAYS[-5:]
Volume = Callable[[int, dt.date], int]


def outage_days(volume: Volume, holidays: dict[str, str] | None = None) -> list[dt.date]:
    """Days of outage when tenant n (0 to 5) has `volume(n, day)` uses on each working day."""
    events: list[dict[str, Any]] = [
        {
            "occurred_at": f"{day}T12:00:00Z",
            "tenant_id": f"t{number}",
            "user_id": "u1",
            "event_name": "login",
        }
        for day in WORKING_DAYS
        for number in range(6)
        for _ in range(volume(number, day))
    ]
    connection = run_models(
        {"product_events": events}, WORKING_DAYS[-1], ["int_feed_days_judged"], holidays=holidays
    )
    found = connection.execute(
        "select activity_date from intermediate.int_feed_days_judged"
        " where is_outage and judged_by = 'tonight' order by 1"
    ).fetchall()
    return [day for (day,) in found]


def usual(number: int, day: dt.date) -> int:
    """The first tenant is large; all vary a little."""
    return (20 if number == 0 else 3) + (number + day.toordinal()) % 2


def test_clean_days_are_no_outage() -> None:
    assert outage_days(usual) == []


@pytest.mark.parametrize("left", [0.0, 0.3])
def test_a_feed_that_stops_or_more_than_halves_for_all_is_out(left: float) -> None:
    def volume(number: int, day: dt.date) -> int:
        return round(usual(number, day) * (left if day in LAST_WEEK else 1))

    assert outage_days(volume) == LAST_WEEK


def test_a_feed_that_lacks_most_tenants_is_out() -> None:
    def volume(number: int, day: dt.date) -> int:
        return 0 if day in LAST_WEEK and number > 1 else usual(number, day)

    assert outage_days(volume) == LAST_WEEK


def test_one_large_tenant_that_leaves_is_no_outage() -> None:
    def volume(number: int, day: dt.date) -> int:
        return 0 if day in LAST_WEEK and number == 0 else usual(number, day)

    assert outage_days(volume) == []


def test_a_quiet_holiday_is_no_outage() -> None:
    holiday = LAST_WEEK[2]

    def volume(number: int, day: dt.date) -> int:
        return 0 if day == holiday else usual(number, day)

    assert outage_days(volume, holidays={str(holiday): "a holiday"}) == []


def test_a_feed_that_stopped_stays_out_however_long() -> None:
    def volume(number: int, day: dt.date) -> int:
        return usual(number, day) if day < WORKING_DAYS[45] else 0

    assert outage_days(volume) == WORKING_DAYS[45:]


def test_a_feed_that_always_comes_a_day_late_is_told_as_out_each_night_for_that_day_only() -> None:
    """The youngest day is not known: its states keep their value, and no volume is judged."""
    events = [
        {
            "occurred_at": f"{day}T12:00:00Z",
            "tenant_id": f"t{number}",
            "user_id": "u1",
            "event_name": "login",
            "_known_at": f"{day + dt.timedelta(1)}T03:00:00Z",
        }
        for day in WORKING_DAYS
        for number in range(6)
        for _ in range(usual(number, day))
    ]
    for night in WORKING_DAYS[-2:]:
        connection = run_models({"product_events": events}, night, ["int_alarms_raised"])
        told = connection.execute(
            "select kind, opened_on, detail from intermediate.int_alarms_raised"
        ).fetchall()
        outages = [alarm[1:] for alarm in told if alarm[0] in ("feed_outage", "volume_unusual")]
        ((opened_on, detail),) = outages
        assert opened_on == night
        assert "brought 0 events" in detail


def test_an_outage_opens_on_the_working_day_it_began_not_on_the_weekend_before() -> None:
    """Notices tell what opened since the night before: what is dated back is never told."""
    monday, wednesday = LAST_WEEK[0], LAST_WEEK[2]
    events = [
        {
            "occurred_at": f"{day}T12:00:00Z",
            "tenant_id": f"t{number}",
            "user_id": "u1",
            "event_name": "login",
        }
        for day in WORKING_DAYS
        for number in range(6)
        for _ in range(usual(number, day) if day < monday else 0)
    ]
    told = [
        run_models({"product_events": events}, night, ["int_alarms_raised"])
        .execute(
            "select alarm_id, opened_on from intermediate.int_alarms_raised"
            " where kind = 'feed_outage'"
        )
        .fetchall()
        for night in (monday, wednesday)
    ]
    assert [opened_on for ((_, opened_on),) in told] == [monday, monday]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("web", "mobile", "saturdays", "lost"), [(1, 2, "web", LAST_WEEK), (3, 1, "mobile", [])]
)
def test_a_customer_is_out_whose_use_of_all_days_came_mostly_by_the_feed_that_is(
    web: int, mobile: int, saturdays: str, lost: list[dt.date]
) -> None:
    """On working days alone it would be the other way round."""
    used = [("t0", "web", day, web) for day in WORKING_DAYS if day not in LAST_WEEK]
    used += [("t0", "mobile", day, mobile) for day in WORKING_DAYS]
    used += [
        ("t0", saturdays, day + dt.timedelta(1), 20)
        for day in WORKING_DAYS
        if day.weekday() == 4 and day not in LAST_WEEK
    ]
    used += [
        (f"t{number}", "web", day, 3)
        for number in range(1, 6)
        for day in WORKING_DAYS
        if day not in LAST_WEEK
    ]
    company: dict[str, list[dict[str, Any]]] = {
        "customers": [{"customer_id": "c0"}],
        "tenants": [{"tenant_id": "t0", "customer_id": "c0"}],
        "product_events": [
            {"occurred_at": f"{day}T12:00:00Z", "tenant_id": tenant, "user_id": "u"}
            | {"event_name": "login", "_batch_id": feed}
            for tenant, feed, day, count in used
            for _ in range(count)
        ],
    }
    batches = [
        {"batch_id": feed, "entity": "product_events", "source": feed, "batch_order": 1}
        | {"delivery": "changes", "known_at": "2024-01-01T00:00:00Z", "is_first_load": False}
        for feed in ("web", "mobile")
    ]
    models = ["int_customer_outage_days"]
    connection = run_models(company, WORKING_DAYS[-1], models, batches=batches)
    found = connection.execute(
        "select outage_date from intermediate.int_customer_outage_days"
        " where customer_id = 'c0' and judged_by = 'tonight' order by 1"
    ).fetchall()
    assert [day for (day,) in found] == lost


def test_volume_alarms_find_planted_faults_and_seldom_cry_wolf() -> None:
    """A year of two feeds of 200 tenants each; benchmarks/README.md has the figures of many."""
    figures = measure(range(2), tenants=200)
    assert figures["false_most"] <= 2
    assert min(figures[fault] for fault in ("dropped", "doubled", "late")) >= 0.95


@pytest.mark.parametrize("late", ["of the outage", "by another feed"])
def test_use_that_comes_late_changes_no_level_of_the_past(late: str) -> None:
    """A week in which the feed was out, as it stood at the week's end, stays out of the levels."""
    outage = [dt.date(2024, 3, 18) + dt.timedelta(number) for number in range(5)]
    days = [FIRST + dt.timedelta(number) for number in range(100)]
    events = [
        {
            "occurred_at": f"{day}T12:00:00Z",
            "tenant_id": f"t{number}",
            "user_id": f"u{user}",
            "event_name": "login",
            "_batch_id": "web",
        }
        | ({"_known_at": "2024-04-10T12:00:00Z"} if day in outage else {})
        for day in days
        if day.weekday() < 5 and (day not in outage or late == "of the outage")
        for number in range(6)
        for user in range(3)
    ]
    if late == "by another feed":
        events += [
            {
                "occurred_at": f"{day}T13:00:00Z",
                "tenant_id": "t0",
                "user_id": f"u{user}",
                "event_name": "login",
                "_batch_id": "mobile",
                "_known_at": "2024-04-10T12:00:00Z",
            }
            for day in days
            if day.weekday() < 5 and day not in outage
            for user in range(9)
        ]
    batches = [
        {"batch_id": feed, "entity": "product_events", "source": feed, "batch_order": 1}
        | {"delivery": "changes", "known_at": "2024-01-01T00:00:00Z", "is_first_load": False}
        for feed in ("web", "mobile")
    ]
    company: dict[str, list[dict[str, Any]]] = {
        "product_events": events,
        "customers": [{"customer_id": f"c{number}"} for number in range(6)],
        "tenants": [
            {"tenant_id": f"t{number}", "customer_id": f"c{number}"} for number in range(6)
        ],
        "products": [{"product_id": "p", "kind": "version", "unit": "seat"}],
        "subscriptions": [
            {"subscription_id": "s", "customer_id": "c0", "product_id": "p", "quantity": 5}
            | {"term_start": "2024-01-01", "term_end": "2025-01-01", "mrr": 100, "currency": "EUR"}
        ],
    }
    told = [
        run_models(company, night, ["customer_signals"], batches=batches)
        .execute(
            "select as_of_date, usage_level_ratio from contract.customer_signals"
            " where customer_id = 'c0' and known_on = as_of_date"
            " and as_of_date in ('2024-03-24', '2024-03-31', '2024-04-07') order by all"
        )
        .fetchall()
        for night in (dt.date(2024, 4, 7), dt.date(2024, 4, 28))
    ]
    assert [ratio for _, ratio in told[0]] == [1.0, 1.0, 1.0]
    assert told[0] == told[1]
