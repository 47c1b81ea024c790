"""Tables made of usage states and north-star weeks against computations that count each row."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse import run_model

MONDAY = dt.date(2024, 1, 1)
# Worst first; equals beside each other.
ORDER = [
    {"silent", "not_started"},
    {"dormant"},
    {"declining"},
    {"low"},
    {"resurrected"},
    {"onboarding", "normal"},
    {"high"},
]
RANKS = {state: rank for rank, states in enumerate(ORDER) for state in states}
NO_USE = ["not_customer", "trial", "unmeasured"]
PAYING = ["formal", "renewed", "lapsed", "pay_as_you_go"]
GROUPS = {
    "well": {"high", "normal", "resurrected"},
    "poor": {"low", "declining", "dormant", "silent"},
    "not_started": {"not_started"},
    "onboarding": {"onboarding"},
    "unmeasured": {"unmeasured"},
}


def values(rows: Sequence[tuple[object, ...]], columns: str) -> str:
    """A query of these rows; dates and numbers by their text, None as null."""
    empty = f"select * from (values ({', '.join(['null'] * len(columns.split()))}))"
    literals = ", ".join(
        f"({', '.join('null' if cell is None else repr(str(cell)) for cell in row)})"
        for row in rows
    )
    named = f" as rows ({', '.join(column.split(':')[0] for column in columns.split())})"
    typed = ", ".join("{0}::{1} as {0}".format(*column.split(":")) for column in columns.split())
    source = f"(values {literals}){named}" if rows else f"({empty}){named} where false"
    return f"select {typed} from {source}"


def test_a_change_is_better_or_worse_as_the_states_are_ordered() -> None:
    pairs = list(itertools.permutations([*RANKS, *NO_USE], 2))
    rows = [
        ("-".join(pair), MONDAY + dt.timedelta(day), pair[day], 1 + day, 12)
        for pair in pairs
        for day in (0, 1)
    ]
    found = run_model(
        "usage_transitions",
        {
            "usage_states_daily": values(
                rows, "customer_id:text state_date:date state:text days_in_state:int arr:int"
            )
        },
    )
    by_pair = {row["customer_id"]: row for row in found}
    for pair in pairs:
        row = by_pair.pop("-".join(pair))
        before, after = (RANKS.get(state) for state in pair)
        direction = "lateral"
        if before is not None and after is not None and before != after:
            direction = "improved" if after > before else "worsened"
        assert row["direction"] == direction, pair
        assert row["transition_date"] == MONDAY + dt.timedelta(1)
        assert row["days_in_from_state"] == 1
    assert not by_pair


STATES_OF_A_DAY = st.lists(
    st.tuples(
        st.sampled_from([*PAYING, "trial", "prospect", "signed", "churned"]),
        st.sampled_from([*RANKS, *NO_USE]),
        st.sampled_from([*RANKS, "unmeasured"]),
        st.one_of(st.none(), st.integers(0, 100)),
    ),
    max_size=14,
)


@settings(max_examples=40)
@given(STATES_OF_A_DAY)
def test_the_mix_counts_every_paying_customer_once(
    states: list[tuple[str, str, str, int | None]],
) -> None:
    rows = [(number, MONDAY, *row) for number, row in enumerate(states)]
    found = run_model(
        "usage_mix_daily",
        {
            "usage_states_daily": values(
                rows,
                "customer_id:text state_date:date status:text state:text raw_state:text arr:int",
            )
        },
    )
    counts: Counter[str] = Counter()
    arrs: Counter[str] = Counter()
    for status, state, raw_state, arr in states:
        if status == "trial":
            group = "trial"
        elif status in PAYING:
            told = raw_state if state in ("not_customer", "trial") else state
            group = next(name for name, of_group in GROUPS.items() if told in of_group)
        else:
            continue
        counts[group] += 1
        arrs[group] += arr or 0
    paying = counts.total() - counts["trial"]
    assert len(found) == (len(GROUPS) + 1 if counts else 0)
    for row in found:
        group = row["usage_group"]
        assert (row["customer_count"], row["arr"]) == (counts[group], arrs[group])
        is_share = group != "trial" and paying
        assert row["customer_share"] == (counts[group] / paying if is_share else None)


@settings(max_examples=40)
@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=5))
def test_the_north_star_grows_by_who_is_new_kept_back_and_lost(reached: list[list[bool]]) -> None:
    weeks = [MONDAY + dt.timedelta(7 * number) for number in range(6)]
    rows = [
        (customer, week, is_reached)
        for customer, of_customer in enumerate(reached)
        for week, is_reached in zip(weeks, of_customer, strict=True)
    ]
    found = run_model(
        "north_star_weekly",
        {
            "north_star_customers_weekly": values(
                rows, "customer_id:text week_start:date is_reached:boolean"
            )
        },
    )
    by_week = {row["week_start"]: row for row in found}
    assert sorted(by_week) == weeks
    for number, week in enumerate(weeks):
        now = {customer for customer, of in enumerate(reached) if of[number]}
        before = {customer for customer, of in enumerate(reached) if number and of[number - 1]}
        ever = {customer for customer, of in enumerate(reached) if any(of[:number])}
        row = by_week[week]
        assert row["north_star"] == len(now)
        assert row["new_count"] == len(now - ever)
        assert row["retained_count"] == len(now & before)
        assert row["resurrected_count"] == len((now & ever) - before)
        assert row["lost_count"] == len(before - now)


PATHS = st.lists(
    st.tuples(
        st.integers(0, 12),  # the week in which the customer comes into sight
        st.lists(st.sampled_from(["high", "low", "silent"]), min_size=16, max_size=16),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=30)
@given(PATHS)
def test_transitions_are_expected_as_the_twelve_weeks_before_went(
    paths: list[tuple[int, list[str]]],
) -> None:
    rows: list[tuple[object, ...]] = []
    cells: Counter[tuple[int, str, str]] = Counter()
    arrs: Counter[tuple[str, int, str, str]] = Counter()
    for customer, (first, states) in enumerate(paths):
        for week in range(first, 16):
            sunday = MONDAY + dt.timedelta(7 * week + 6)
            before = states[week - 1] if week > first else "new"
            arr = 10 * customer + week if (week + customer) % 3 else None
            rows.append((customer, sunday, states[week], arr))
            rows.append((customer, sunday - dt.timedelta(1), "high", 999))
            cells[week, before, states[week]] += 1
            arrs["closing", week, before, states[week]] += arr or 0
            if week > first and (week - 1 + customer) % 3:
                arrs["opening", week, before, states[week]] += 10 * customer + week - 1
    found = run_model(
        "usage_transition_matrix",
        {"usage_states_daily": values(rows, "customer_id:text state_date:date state:text arr:int")},
    )
    by_cell = {
        ((row["week_start"] - MONDAY).days // 7, row["from_state"], row["to_state"]): row
        for row in found
    }
    weeks = {week for week, _, _ in cells}
    for week, before, after in itertools.product(
        weeks, ["new", "high", "low", "silent"], ["high", "low", "silent"]
    ):
        count = cells[week, before, after]
        opening = sum(cells[week, before, other] for other in ("high", "low", "silent"))
        expected = None
        past = [other for other in weeks if week - 12 <= other < week]
        if len(past) == 12:
            went = sum(cells[other, before, after] for other in past)
            left = sum(
                cells[other, before, to] for other in past for to in ("high", "low", "silent")
            )
            expected = opening * went / left if left else None
        row = by_cell.pop((week, before, after), None)
        if not count and not expected:
            assert row is None
            continue
        assert row is not None
        assert row["customer_count"] == count
        assert row["opening_count"] == opening
        assert row["opening_arr"] == arrs["opening", week, before, after]
        assert row["arr"] == arrs["closing", week, before, after]
        assert row["probability"] == (count / opening if opening else None)
        assert row["expected_count"] == pytest.approx(expected)
        surprise = (count - expected) / math.sqrt(expected) if expected else None
        assert row["surprise"] == pytest.approx(surprise)
    assert not by_cell


LIVES = st.lists(
    st.tuples(
        st.lists(
            st.tuples(
                st.sampled_from(["high", "low", "trial", "not_customer"]),
                st.sampled_from(["high", "low"]),
                st.sampled_from([*PAYING, "trial"]),
            ),
            min_size=35,
            max_size=35,
        ),
        st.one_of(st.none(), st.integers(7, 34)),  # the day of a loss
        st.booleans(),  # which may be provisional
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=30)
@given(LIVES)
def test_states_before_a_loss_are_compared_with_those_of_all_paying_customers(
    lives: list[tuple[list[tuple[str, str, str]], int | None, bool]],
) -> None:
    days = [MONDAY + dt.timedelta(number) for number in range(35)]
    states: dict[tuple[int, dt.date], str] = {}
    rows: list[tuple[object, ...]] = []
    losses: list[tuple[object, ...]] = []
    final = []
    for customer, (life, loss, is_provisional) in enumerate(lives):
        for day, (state, raw_state, status) in zip(days, life, strict=True):
            rows.append((customer, day, state, raw_state, status))
            if status in PAYING:
                states[customer, day] = raw_state if state in ("trial", "not_customer") else state
        if loss is not None:
            losses.append((customer, "mrr_loss", days[loss], is_provisional))
            losses.append((customer, "renewal", days[loss] - dt.timedelta(1), False))
            final += [(customer, days[loss])] * (not is_provisional)
    found = run_model(
        "states_before_loss",
        {
            "usage_states_daily": values(
                rows,
                "customer_id:text state_date:date state:text raw_state:text status:text",
            ),
            "customer_outcomes": values(
                losses, "customer_id:text kind:text outcome_date:date is_provisional:boolean"
            ),
            "stg_ingest__night": f"select date '{days[-1]}' as as_of_date",
        },
    )
    seen = {(row["weeks_before"], row["state"]): row for row in found}
    for back in range(1, 27):
        last = days[-1] - dt.timedelta(7 * back)
        usual = Counter(
            state for (_, day), state in states.items() if day.weekday() == 6 and day <= last
        )
        before = Counter(
            states[customer, day - dt.timedelta(7 * back)]
            for customer, day in final
            if (customer, day - dt.timedelta(7 * back)) in states
        )
        for state in ("high", "low"):
            row = seen.pop((back, state), None)
            if not usual[state]:
                assert row is None
                continue
            counted = sum(before[other] for other in usual)
            share = usual[state] / usual.total()
            assert row is not None
            assert (row["n"], row["loss_count"]) == (before[state], counted)
            assert row["usual_share"] == pytest.approx(share)
            lift = before[state] / counted / share if counted else None
            assert row["lift"] == pytest.approx(lift)
    assert not seen


def test_an_entitlement_gone_from_the_delivery_held_until_then() -> None:
    (found,) = run_model(
        "int_features_entitled",
        {
            "subscription_terms": """select 'c' as customer_id, 'p' as product_id,
                date '2024-01-01' as term_start, date '2025-01-01' as effective_end""",
            "stg_orders__feature_entitlements": """select 'p' as product_id, 'write' as feature,
                date '2023-01-01' as valid_from, null::date as valid_to,
                timestamptz '2024-06-10T20:00:00Z' as vanished_at,
                null::timestamptz as described_from, null::timestamptz as known_to""",
            "int_contract_lines_priced": """select 'l' as line_id, 'c' as customer_id,
                'p' as product_id, current_date as term_start, current_date as term_end,
                false as is_auto_renew, now() as known_from, now() as known_to where false""",
            "int_contract_lines_first_ended": """select 'l' as line_id, current_date as ends_on,
                now() as known_from, now() as known_to where false""",
            "int_core_features": "select 'write' as feature",
            "int_customers_resolved": "select 'c' as resolved_customer_id",
            "int_use_measures": "select true as has_entitlements",
        },
    )
    assert (found["entitled_from"], found["entitled_to"]) == (
        dt.date(2024, 1, 1),
        dt.date(2024, 6, 10),
    )
