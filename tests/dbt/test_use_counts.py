"""Distinct users, features and past knowledge equal brute force on random events."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from dagster_project.settings import Company, Definitions, Use
from tests.warehouse import run_models

ZONE = ZoneInfo("America/New_York")
CORE = {"write", "sign"}
DEFINITIONS = Definitions(
    company=Company(zone="America/New_York"),
    use=Use(core_events=["write", "sign"], help_events=["help"], excluded_events=["sync"]),
)
# Sundays on which the clocks there go forward and back lie in this span.
FIRST = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
TENANTS = {"t1": "c1", "t2": "c1", "t3": "c2"}
SLOW = settings(
    max_examples=12,
    # One run takes half a second: a failure is told as it is, not made smaller for minutes.
    phases=(Phase.explicit, Phase.generate),
)

# Days around the windows' ends are more likely than chance would have them.
day = st.one_of(st.integers(0, 60), st.sampled_from([0, 1, 6, 7, 8, 27, 28, 29, 55, 56, 57]))
event = st.fixed_dictionaries(
    {
        "minute": st.builds(lambda day, minute: 1440 * day + minute, day, st.integers(0, 1439)),
        "tenant_id": st.sampled_from([*TENANTS, "unknown"]),
        "user_id": st.sampled_from(["u1", "u2", "u3", "u4", None]),
        "event_name": st.sampled_from(["login", "write", "sign", "help", "sync"]),
        "duration_seconds": st.sampled_from([None, None, 30, 90]),
    }
)


def as_raw(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "occurred_at": (FIRST + dt.timedelta(minutes=event["minute"])).isoformat(),
            **{key: event[key] for key in ("tenant_id", "event_name")},
            **{key: event[key] for key in ("user_id", "duration_seconds") if event.get(key)},
            **({"_known_at": event["known_at"].isoformat()} if "known_at" in event else {}),
        }
        for event in events
    ]


def raw_company(events: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {
        "subscriptions": [
            {
                "subscription_id": f"s-{customer}",
                "customer_id": customer,
                "term_start": "2024-02-20",
                "term_end": "2026-02-20",
                "mrr": 100,
                "currency": "EUR",
            }
            for customer in ("c1", "c2")
        ],
        "tenants": [{"tenant_id": key, "customer_id": value} for key, value in TENANTS.items()],
        "product_events": as_raw(events),
    }


def uses_by_day(events: list[dict[str, Any]]) -> dict[tuple[str, dt.date], list[dict[str, Any]]]:
    """Uses per customer and day in the company's zone; unknown tenants left out."""
    days = defaultdict(list)
    for event in events:
        if event["event_name"] != "sync" and event["tenant_id"] in TENANTS:
            moment = (FIRST + dt.timedelta(minutes=event["minute"])).astimezone(ZONE)
            days[TENANTS[event["tenant_id"]], moment.date()].append(event)
    return days


def on_days(*days: int) -> list[dict[str, Any]]:
    """One user, at noon of these days."""
    common = {"tenant_id": "t1", "user_id": "u1", "event_name": "write"}
    return [{"minute": 1440 * day + 1020, **common} for day in days]


@SLOW
@example(on_days(0, 6, 13, 21))
@example(on_days(0, 27, 55))
@given(st.lists(event, min_size=1, max_size=80))
def test_trailing_distinct_users_equal_brute_force(events: list[dict[str, Any]]) -> None:
    last = dt.date(2024, 5, 5)
    models = ["customer_usage_daily", "int_customers_use_at_dates"]
    connection = run_models(raw_company(events), last, models, definitions=DEFINITIONS)
    days = uses_by_day(events)

    def window(customer: str, last: dt.date, length: int) -> list[dict[str, Any]]:
        return [
            event
            for back in range(length)
            for event in days.get((customer, last - dt.timedelta(back)), [])
        ]

    def users(uses: list[dict[str, Any]]) -> int:
        return len({use["user_id"] for use in uses if use["user_id"]})

    found = connection.execute(
        """
        select
            customer_id, activity_date, active_user_count, active_user_count_7d,
            active_user_count_28d, active_day_count_28d, event_count, core_action_count,
            core_feature_count_28d, wau_mau_ratio, minutes_online::double, help_view_count
        from customer_usage_daily where is_measured order by all
        """
    ).fetchall()

    def divide(part: float, whole: float) -> float | None:
        return part / whole if whole else None

    def minutes(uses: list[dict[str, Any]]) -> float | None:
        seconds = [use["duration_seconds"] for use in uses if use.get("duration_seconds")]
        return sum(seconds) / 60 if seconds else None

    def cores(uses: list[dict[str, Any]]) -> int:
        return sum(use["event_name"] in CORE for use in uses)

    expected = [
        (
            customer,
            day,
            users(window(customer, day, 1)),
            users(window(customer, day, 7)),
            users(window(customer, day, 28)),
            sum(1 for back in range(28) if window(customer, day - dt.timedelta(back), 1)),
            len(window(customer, day, 1)),
            cores(window(customer, day, 1)),
            len({use["event_name"] for use in window(customer, day, 28)} & CORE),
            divide(users(window(customer, day, 7)), users(window(customer, day, 28))),
            minutes(window(customer, day, 1)),
            sum(use["event_name"] == "help" for use in window(customer, day, 1)),
        )
        for customer, day, *_ in found
    ]
    assert found == expected
    depths = connection.execute(
        """
        select customer_id, core_depth_per_week from intermediate.int_customers_use_at_dates
        where as_of_date = $1 and known_on = $1 and active_user_count_28d is not null
        """,
        [last],
    ).fetchall()
    assert depths == [
        (customer, divide(cores(recent), 4 * users(recent)))
        for customer, recent in ((customer, window(customer, last, 28)) for customer, _ in depths)
    ]


@SLOW
@given(
    st.lists(event, min_size=20, max_size=80),
    st.lists(st.integers(0, 12), min_size=80, max_size=80),
    st.integers(4, 8),
)
def test_a_past_sunday_shows_what_a_night_on_it_would_have(
    events: list[dict[str, Any]], delays: list[int], week: int
) -> None:
    """No look-ahead: late events are unknown on a past date until the day they came."""
    for event, delay in zip(events, delays, strict=False):
        happened = FIRST + dt.timedelta(minutes=event["minute"])
        # A third of the events come late, by up to two months.
        event["known_at"] = happened + dt.timedelta(days=max(0, delay - 8) ** 2 * 4)
    sunday = dt.date(2024, 3, 3) + dt.timedelta(weeks=week)
    compared = """
        select * exclude (known_on) from intermediate.int_customers_use_at_dates
        where as_of_date = $1 and known_on = $1 order by all
    """
    models = ["int_customers_use_at_dates", "customer_usage_daily"]
    later, night = (
        run_models(raw_company(events), day, models, definitions=DEFINITIONS)
        for day in ("2024-05-21", sunday)
    )
    as_a_night = night.execute(compared, [sunday]).fetchall()
    assert later.execute(compared, [sunday]).fetchall() == as_a_night
    assert as_a_night
    different = night.execute(
        """
        select * from intermediate.int_customers_use_at_dates as signals
        inner join customer_usage_daily as days
            on signals.customer_id = days.customer_id and as_of_date = activity_date
        where
            signals.known_on = $1
            and (
                signals.active_user_count_7d is distinct from days.active_user_count_7d
                or signals.active_user_count_28d is distinct from days.active_user_count_28d
                or signals.core_breadth_ratio is distinct from days.core_breadth_ratio
            )
        """,
        [sunday],
    )
    assert different.fetchall() == []


def test_a_tenant_that_comes_later_brings_its_past_use() -> None:
    event = {"minute": 60 * 12, "tenant_id": "t1", "user_id": "u1", "event_name": "login"}
    raw = raw_company([event])
    latecomer = {"tenant_id": "t1", "customer_id": "c1", "_known_at": "2024-03-10T00:00:00Z"}
    raw["tenants"] = [latecomer]
    counts = [
        run_models(raw, night, ["customer_usage_daily"])
        .execute("select coalesce(sum(event_count), 0) from customer_usage_daily")
        .fetchone()
        for night in ("2024-03-09", "2024-03-10")
    ]
    assert counts == [(0,), (1,)]


@SLOW
@example(on_days(0, 6, 13, 21))
@given(st.lists(event, min_size=1, max_size=80))
def test_users_of_the_company_and_of_a_feature_equal_brute_force(
    events: list[dict[str, Any]],
) -> None:
    """A user counts once over all customers; a feature's users are those of its last 28 days."""
    tables = ["kpi_daily", "feature_adoption"]
    connection = run_models(raw_company(events), "2024-05-21", tables, definitions=DEFINITIONS)
    days = uses_by_day(events)
    last = dt.date(2024, 5, 21)

    def window(day: dt.date, length: int) -> list[tuple[str, dict[str, Any]]]:
        start = day - dt.timedelta(days=length)
        return [
            (customer, use)
            for (customer, used_on), uses in days.items()
            if start < used_on <= day
            for use in uses
        ]

    def users(uses: list[tuple[str, dict[str, Any]]]) -> int:
        return len({use["user_id"] for _, use in uses} - {None})

    measured_from = min(
        (
            (FIRST + dt.timedelta(minutes=event["minute"])).astimezone(ZONE).date()
            for event in events
            if event["event_name"] != "sync"
        ),
        default=dt.date.max,
    )
    found = connection.execute("select kpi_date, dau, wau, mau from kpi_daily").fetchall()
    assert found == [
        (day, *(users(window(day, length)) for length in (1, 7, 28)))
        if day >= measured_from
        else (day, None, None, None)
        for day, *_ in found
    ]
    assert len(found) == (last - min(day for day, *_ in found)).days + 1

    core = [(customer, use) for customer, use in window(last, 400) if use["event_name"] in CORE]
    recent = window(last, 28)
    assert connection.execute(
        "select customer_id, feature, user_count_28d from feature_adoption order by all"
    ).fetchall() == [
        (
            customer,
            feature,
            users(
                [
                    (owner, use)
                    for owner, use in recent
                    if (owner, use["event_name"]) == (customer, feature)
                ]
            ),
        )
        for customer, feature in sorted({(customer, use["event_name"]) for customer, use in core})
    ]


@SLOW
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(-5, 60), st.integers(1, 40)), min_size=0, max_size=4),
)
def test_breadth_counts_what_is_used_and_entitled_on_the_day(
    used: list[int], entitled: list[tuple[int, int]]
) -> None:
    """One of two core features: used on some days, entitled in spans that may touch or overlap."""
    first = dt.date(2024, 3, 1)
    raw = raw_company(on_days(*used)) | {
        "subscriptions": [
            {
                **{"subscription_id": "s", "customer_id": "c1", "product_id": "p"},
                **{"term_start": "2024-02-20", "term_end": "2026-02-20"},
                **{"mrr": 100, "currency": "EUR"},
            }
        ],
        "products": [{"product_id": "p", "name": "p", "kind": "version"}],
        "feature_entitlements": [
            {
                **{"product_id": "p", "feature": "write"},
                "valid_from": first + dt.timedelta(days=start),
                "valid_to": first + dt.timedelta(days=start + length),
            }
            for start, length in dict(entitled).items()
        ]
        + [{"product_id": "p", "feature": "sign", "valid_from": "2024-01-01"}],
    }
    connection = run_models(raw, "2024-05-21", ["customer_usage_daily"], definitions=DEFINITIONS)
    spans = dict(entitled)
    for day, count, breadth in connection.execute(
        """
        select activity_date, core_feature_count_28d, core_breadth_ratio from customer_usage_daily
        where is_measured
        """
    ).fetchall():
        day_no = (day - first).days
        is_entitled = any(start <= day_no < start + length for start, length in spans.items())
        is_used = any(use <= day_no < use + 28 for use in used)
        assert count == int(is_used and is_entitled), day
        assert breadth == count / (1 + is_entitled), day
