"""Usage states on the very limits of their definitions, by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.warehouse import run_models

# A Tuesday: what the last week made of a customer has been seen on two days.
NIGHT = dt.date(2024, 6, 18)
LAST_MONDAY = dt.date(2024, 6, 10)
# Weekly users of each customer up to the last whole week, and the state they make.
HISTORIES: dict[str, tuple[list[int], str]] = {
    # Of ten users as many remain, long enough to be no decline any more.
    "five of ten": ([10] * 30 + [5] * 12, "low"),
    "six of ten": ([10] * 30 + [6] * 12, "normal"),
    "eight of ten": ([10] * 30 + [8] * 12, "normal"),
    "nine of ten": ([10] * 30 + [9] * 12, "high"),
    # The best 12 weeks of the last 52: seven of 20 users make their median 20, five leave it at 10.
    "seven better weeks in the year": ([20] * 20 + [10] * 45, "low"),
    "five better weeks in the year": ([20] * 20 + [10] * 47, "high"),
    # Eleven weeks have no median of twelve: six and six weeks are the best, 15 users.
    "twelve weeks": ([20] * 6 + [10] * 14, "normal"),
}
TRIAL = dt.date(2024, 5, 1)


def term(customer: str, start: dt.date, **more: Any) -> dict[str, Any]:
    return {"subscription_id": customer, "customer_id": customer, "mrr": 100, "currency": "EUR"} | {
        "term_start": start,
        "term_end": "2026-01-01",
        **more,
    }


def use(customer: str, user: str, day: dt.date) -> dict[str, Any]:
    seen = {"customer_id": customer, "user_id": user, "event_name": "used"}
    return seen | {"occurred_at": f"{day}T12:00:00Z"}


def test_a_state_begins_and_ends_where_its_definition_says() -> None:
    terms = [term("tries", TRIAL, term_end="2024-06-01", is_trial=True)]
    events = [use("tries", "u", TRIAL - dt.timedelta(days=9))]
    for name, (weeks, _) in HISTORIES.items():
        first = LAST_MONDAY - dt.timedelta(weeks=len(weeks) - 1)
        terms.append(term(name, first))
        events += [
            use(name, f"u{user}", first + dt.timedelta(weeks=week, days=day))
            for week, count in enumerate([*weeks, weeks[-1]])
            for user in range(count)
            for day in (0, 1)
        ]
    connection = run_models(
        {"subscriptions": terms, "product_events": events}, NIGHT, ["usage_states_daily"]
    )
    states = connection.execute(
        "select customer_id, state from usage_states_daily where state_date = $1", [NIGHT]
    ).fetchall()
    assert {name: state for name, state in states if name in HISTORIES} == {
        name: state for name, (_, state) in HISTORIES.items()
    }
    # A trial is one on its first day; its days are counted from one.
    tried = connection.execute(
        """
        select state, days_in_state from usage_states_daily
        where customer_id = 'tries' and state_date between $1 and $2 order by state_date
        """,
        [TRIAL - dt.timedelta(days=1), TRIAL + dt.timedelta(days=1)],
    ).fetchall()
    assert tried == [("not_customer", 9), ("trial", 1), ("trial", 2)]
