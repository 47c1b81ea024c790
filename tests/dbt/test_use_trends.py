"""The trend of use against Theil and Sen's slope, computed pair by pair."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from statistics import median

import pytest

from tests.warehouse import run_models

MONDAY = dt.date(2024, 1, 1)
WEEKS = 11
# Working days taken from weeks by holidays: one that keeps three is counted, one of two is not.
HOLIDAYS = {5: 2, 7: 3, 9: 1}


def slope(weekly_users: list[int]) -> float | None:
    """Of the last eight weeks, each as users of a five-day week, relative to their median."""
    working_days = {week: 5 - HOLIDAYS.get(week, 0) for week in range(WEEKS)}
    users = {
        week: 5 * weekly_users[week] / working_days[week]
        for week in range(WEEKS - 8, WEEKS)
        if working_days[week] >= 3
    }
    usual = median(users.values())
    rises = ((users[b] - users[a]) / (b - a) for a, b in itertools.combinations(users, 2))
    return median(rises) / usual if usual else None


def find_trends(
    histories: dict[str, list[int]], holidays: dict[int, int]
) -> dict[str, tuple[float | None, str]]:
    """Slope and word on the last Sunday of these weekly users."""
    sunday = MONDAY + dt.timedelta(days=7 * WEEKS - 1)
    connection = run_models(
        {
            "subscriptions": [
                {"subscription_id": name, "customer_id": name, "mrr": 1, "currency": "EUR"}
                | {"term_start": "2024-01-01", "term_end": "2025-01-01"}
                for name in histories
            ],
            "product_events": [
                {"customer_id": name, "user_id": f"u{user}", "event_name": "used"}
                | {"occurred_at": f"{MONDAY + dt.timedelta(days=7 * week)}T12:00:00Z"}
                for name, weekly_users in histories.items()
                for week, count in enumerate(weekly_users)
                for user in range(count)
            ],
        },
        sunday,
        ["int_customers_use_at_dates"],
        holidays={
            f"{MONDAY + dt.timedelta(days=7 * week + 4 - day)}": "holiday"
            for week, count in holidays.items()
            for day in range(count)
        },
    )
    found = connection.execute(
        """
        select customer_id, login_trend_slope, login_trend
        from intermediate.int_customers_use_at_dates
        where as_of_date = $1 and known_on = $1
        """,
        [sunday],
    ).fetchall()
    return {name: (rise, trend) for name, rise, trend in found}


def test_a_trend_of_two_percent_a_week_is_still_flat() -> None:
    # Two users more each week, half of the weeks below and half above the median of 100.
    at_the_edge, beyond = range(93, 109, 2), range(92, 108, 2)
    rises = {"at": list(at_the_edge), "beyond": list(beyond)}
    falls = {f"{name} it, falling": weeks[::-1] for name, weeks in rises.items()}
    early = [100] * (WEEKS - 8)
    found = find_trends({name: early + weeks for name, weeks in (rises | falls).items()}, {})
    assert found == {
        "at": (0.02, "flat"),
        "beyond": (2 / 99, "up"),
        "at it, falling": (-0.02, "flat"),
        "beyond it, falling": (-2 / 99, "down"),
    }


def test_the_trend_is_the_median_of_all_slopes_between_weeks() -> None:
    chance = random.Random(4)
    histories = {
        f"c{number}": [
            1,
            *(max(0, 6 + chance.randint(-2, 2) + rise * week // 4) for week in range(1, WEEKS)),
        ]
        for number, rise in enumerate([-3, -2, -1, 0, 0, 0, 1, 2, 3] * 3)
    } | {"none": [1] + [0] * (WEEKS - 1), "flat": [4] * WEEKS}
    steady = [4 * (5 - HOLIDAYS.get(week, 0)) for week in range(WEEKS)]
    histories |= {"steady": steady, "late": [0, 0, 0, 0, *steady[4:]]}
    trends = find_trends(histories, HOLIDAYS)
    # Seven whole weeks since the first use are one too few.
    assert trends.pop("late") == (None, "unmeasured")
    assert trends["steady"] == (0, "flat")
    assert trends["none"] == (None, "unmeasured")
    for name, (rise, trend) in trends.items():
        expected = slope(histories[name])
        assert rise == pytest.approx(expected), name
        words = {True: "up", expected is None: "unmeasured"}
        if expected is not None:
            words = {expected > 0.02: "up", expected < -0.02: "down", abs(expected) <= 0.02: "flat"}
        assert trend == words[True], name
    assert {trend for _, trend in trends.values()} == {"up", "flat", "down", "unmeasured"}
