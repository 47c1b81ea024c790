"""Usage states of random companies against a count of every day, written from the definitions.

Commercial status and outages are proved elsewhere: here they are taken as the table has them.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any

import pytest

from tests.warehouse import run_models

LAST = dt.date(2024, 6, 19)
FIRST = LAST - dt.timedelta(days=440)
OUTAGE = {LAST - dt.timedelta(days=back) for back in range(60, 72)}
DAYS = [FIRST + dt.timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
PAYING = {"formal", "renewed", "lapsed", "pay_as_you_go"}
FIRST_FOUR = {"not_customer", "trial", "unmeasured", "not_started"}
# How likely each user is at work on a working day, by the days since the customer's start.
HABITS: dict[str, Callable[[int], float]] = {
    "steady": lambda day: 0.6,
    "fades": lambda day: max(0, 0.9 - day / 300),
    "pauses": lambda day: 0.8 if day // 45 % 2 == 0 else 0,
    "waves": lambda day: (0.9, 0.2, 0.6, 0.05)[day // 28 % 4],
    "collapses": lambda day: 0.9 if day < 250 else 0.12,
    "seldom": lambda day: 0.02,
    "never": lambda day: 0,
}


@dataclass
class Customer:
    """What the states of one customer are made of."""

    start: dt.date
    seats: int | None
    user_days: dict[dt.date, set[str]] = field(default_factory=lambda: defaultdict(set))
    use_days: set[dt.date] = field(default_factory=set)
    has_tenant: bool = True


def write_company(seed: int) -> tuple[dict[str, Customer], dict[str, list[dict[str, Any]]]]:
    """Two customers of each habit, one that no feed sees; an outage in the last spring."""
    chance = random.Random(seed)
    customers, events, tenants, subscriptions = {}, [], [], []
    for name in [f"{habit}-{number}" for habit in HABITS for number in (1, 2)] + ["unseen"]:
        customer = Customer(
            start=FIRST + dt.timedelta(days=chance.randrange(90)),
            seats=chance.choice((None, None, 30)),
            has_tenant=name != "unseen",
        )
        customers[name] = customer
        tried = customer.start - dt.timedelta(days=chance.choice((0, 20)))
        days = chance.choice((200, 900, 900))
        term = {"customer_id": name, "currency": "EUR", "product_id": "p"}
        seats = {"quantity": customer.seats, "unit": "seat"} if customer.seats else {}
        for number, (begin, end) in enumerate(
            [(tried, customer.start), (customer.start, customer.start + dt.timedelta(days=days))]
        ):
            if begin < end:
                subscriptions.append(
                    {"subscription_id": f"{name}-{number}", "term_start": begin, "term_end": end}
                    | {"mrr": 100, "is_trial": number == 0, **term, **seats}
                )
        if not customer.has_tenant:
            continue
        tenants += [{"tenant_id": f"{name}-{n}", "customer_id": name} for n in range(2)]
        users = [f"{name}-{n}" for n in range(chance.choice((2, 6, 15)))] + ["shared", None]
        for day in DAYS:
            likely = HABITS[name.split("-")[0]]((day - customer.start).days) if day >= tried else 0
            for user in users:
                if chance.random() < likely * (1 if day.weekday() < 5 else 0.1):
                    if day in OUTAGE:
                        continue
                    event = {"tenant_id": f"{name}-{chance.randrange(2)}", "event_name": "used"}
                    event["occurred_at"] = f"{day}T12:00:00Z"
                    events.append(event | ({"user_id": user} if user else {}))
                    customer.use_days.add(day)
                    customer.user_days[day] |= {user} - {None}
    raw = {"subscriptions": subscriptions, "tenants": tenants, "product_events": events}
    return customers, raw


def whole_weeks(customer: Customer, frozen: set[dt.date]) -> dict[dt.date, list[int]]:
    """By Sunday: weekly users of the whole weeks up to it, the newest first."""
    weeks: list[int] = []
    known = {}
    for sunday in (day for day in DAYS if day.weekday() == 6):
        days = [sunday - dt.timedelta(days=back) for back in range(7)]
        if customer.use_days and min(customer.use_days) <= days[-1] and not frozen & set(days):
            weeks.insert(0, len(set().union(*(customer.user_days.get(day, set()) for day in days))))
        known[sunday] = list(weeks)
    return known


def is_declining(weeks: list[int]) -> bool:
    before = weeks[2:10]
    if len(before) < 8:
        return False
    usual = median(before)
    lowest = usual - 2 * 1.4826 * median(abs(week - usual) for week in before)
    return all(week < lowest and lowest - week >= 2 for week in weeks[:2])


def level(weeks: list[int], seats: int | None) -> float | None:
    """Weekly users over the larger of the seat target and the best 12 weeks of the last 52."""
    if not weeks:
        return None
    year = weeks[:52]
    twelves = [median(year[at : at + 12]) for at in range(len(year) - 11)]
    usual = max(max(twelves, default=median(year)), 0.5 * (seats or 0))
    if not any(weeks[:4]):
        return 0
    return mean(weeks[:4]) / usual if usual else None


def count_states(
    customer: Customer, days: dict[dt.date, tuple[str | None, bool, int | None]]
) -> Iterator[tuple[dt.date, str, str]]:
    """Raw and confirmed state of each day, from the definitions' list: the first that holds."""
    weeks = whole_weeks(customer, {day for day, (_, is_frozen, _) in days.items() if is_frozen})
    quiet: int | None = None
    returned = dt.date.min
    state = seen_before = ""
    for day, (status, is_frozen, seats) in sorted(days.items()):
        if day in customer.use_days:
            returned = day if quiet is not None and quiet >= 20 else returned
            quiet = 0
        elif quiet is not None and day.weekday() < 5 and not is_frozen:
            quiet += 1
        sunday = day - dt.timedelta(days=(day.weekday() + 1) % 7)
        use_level = level(weeks.get(sunday, []), seats)
        if status in (None, "prospect", "signed", "churned"):
            raw_state = "not_customer"
        elif status == "trial":
            raw_state = "trial"
        elif not customer.has_tenant:
            raw_state = "unmeasured"
        elif quiet is None:
            raw_state = "not_started"
        elif quiet >= 5:
            raw_state = "silent" if quiet >= 20 else "dormant"
        elif (day - returned).days < 28:
            raw_state = "resurrected"
        elif (day - customer.start).days < 90:
            raw_state = "onboarding"
        elif is_declining(weeks.get(sunday, [])):
            raw_state = "declining"
        elif use_level is not None and use_level < 0.6:
            raw_state = "low"
        else:
            raw_state = "high" if use_level is not None and use_level >= 0.9 else "normal"
        if not is_frozen or not state:
            if not state or raw_state in FIRST_FOUR or raw_state == seen_before:
                state = raw_state
            seen_before = raw_state
        yield day, raw_state, state


@pytest.mark.parametrize("seed", [1, 2])
def test_states_are_those_counted_day_by_day(seed: int) -> None:
    customers, raw = write_company(seed)
    connection = run_models(raw, LAST, ["usage_states_daily", "kpi_daily"])
    rows = connection.execute(
        """
        select
            states.customer_id, state_date, status, is_frozen, seats_bought::integer,
            raw_state, state
        from usage_states_daily as states
        inner join customer_usage_daily as days
            on states.customer_id = days.customer_id and state_date = activity_date
        """
    ).fetchall()
    days: dict[str, dict[dt.date, tuple[str | None, bool, int | None]]] = defaultdict(dict)
    found = set()
    for name, day, status, is_frozen, seats, raw_state, state in rows:
        days[name][day] = (status, is_frozen, seats)
        found.add((name, day, raw_state, state))
    assert found == {
        (name, *counted)
        for name, customer in customers.items()
        for counted in count_states(customer, days[name])
    }
    assert len({state for *_, state in found}) == 12
    paying = Counter(
        day for of in days.values() for day, (status, *_) in of.items() if status in PAYING
    )
    counts = connection.execute("select kpi_date, paying_customer_count from kpi_daily").fetchall()
    assert dict(counts) == {day: paying[day] for day, _ in counts}
    assert {day for of in days.values() for day, (_, is_frozen, _) in of.items() if is_frozen}
