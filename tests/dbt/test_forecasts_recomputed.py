"""Forecasts and restated renewals, worked out again contract by contract in plain Python.

Forecasts by segment too: customers change theirs, some have none, and a segment may have no past.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
import statistics
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import duckdb
import pytest

from tests.dbt.contract_histories import Row, moment
from tests.dbt.renewal_oracle import (
    FAR,
    Book,
    Desk,
    Line,
    Renewal,
    Term,
    add_months,
    due_dates,
    grace_days,
    judge,
    judge_term,
    whole_months,
)
from tests.dbt.test_money_renewals import NIGHT, RATES, raw_rows, write_book
from tests.warehouse import _batch, run_models

CUSTOMERS, SEED = 60, 3
LONGEST_GRACE = dt.timedelta(90)
NOTHING = Fraction(0)
Sums = dict[dt.date, tuple[Fraction, Fraction]]


@pytest.fixture(scope="module")
def books() -> list[list[Line]]:
    dice = random.Random(SEED)
    written = [write_book(f"c{no}", dice, can_be_late=True) for no in range(CUSTOMERS)]
    return [versions for versions in written if versions]


class Described:
    """Segments of customers: the first is carried back, a change counts from when it is known."""

    def __init__(self) -> None:
        dice = random.Random(SEED)
        self.known: dict[str, list[tuple[dt.date, str | None]]] = {}
        for number in range(CUSTOMERS):
            segments = [dice.choice(("big", "small", "small", None)) for _ in range(2)]
            moved_on = dt.date(2022, 6, 1) + dt.timedelta(dice.randint(0, 900))
            if dice.random() < 0.1:
                segments[1] = "young"
            self.known[f"c{number}"] = [(dt.date.min, segments[0]), (moved_on, segments[1])]

    def on(self, customer_id: str, day: dt.date) -> str:
        return [segment for since, segment in self.known[customer_id] if since <= day][-1] or (
            "unknown"
        )

    @property
    def rows(self) -> list[Row]:
        return [
            {"customer_id": name, "name": name, "segment": segment, "_batch_id": f"customers-{no}"}
            | {"_known_at": moment(since, 12), "_version_at": moment(since, 12)}
            for name, versions in self.known.items()
            for no, (day, segment) in enumerate(versions, start=1)
            for since in [max(day, dt.date(2020, 1, 1))]
        ]


@pytest.fixture(scope="module")
def segments() -> Described:
    return Described()


@pytest.fixture(scope="module")
def company(books: list[list[Line]], segments: Described) -> duckdb.DuckDBPyConnection:
    rows = raw_rows({customer_of(versions[0]): versions for versions in books})
    rows["customers"] = segments.rows
    second = _batch("customers", "customers-2", 1) | {"is_first_load": False}
    models = ["renewal_forecast", "restatements", "kpi_monthly"]
    return run_models(rows, NIGHT, models, batches=[second])


def customer_of(line: Line) -> str:
    return line.contract.split("-")[0]


def month_of(day: dt.date) -> dt.date:
    return day.replace(day=1)


def is_mature(due_month: dt.date, day: dt.date) -> bool:
    return add_months(due_month, 1) - dt.timedelta(1) + LONGEST_GRACE <= day


def arr_of(line: Line) -> Fraction | None:
    rate = RATES[line.currency]
    return None if rate is None else 12 * Term(line, 1, line.start, line.end).mrr * rate


def matures_on(line: Line, renewal: Renewal) -> dt.date:
    number = int(renewal.term_id.split("#")[1])
    _, start, end = next(itertools.islice(due_dates(line), number - 1, None))
    return end + dt.timedelta(grace_days(start, end))


def is_known_late(versions: list[Line], line: Line, renewal: Renewal) -> bool:
    first_known = min(other.known_on for other in versions if other.line_id == line.line_id)
    return matures_on(line, renewal) < first_known


def add_up(versions: list[Line], judged: dict[str, Renewal], sums: Sums, in_time: bool) -> None:
    """What is due and kept by month; a term that goes on without a rate is neither."""
    lines = {line.line_id: line for line in versions}
    for key, renewal in judged.items():
        line = lines[key.split("#")[0]]
        due, mrr = arr_of(line), renewal.renewed_mrr
        is_unknown = due is None or (mrr is None and renewal.successor is not None)
        if renewal.due_date is None or renewal.outcome == "not_due" or is_unknown:
            continue
        if in_time and is_known_late(versions, line, renewal):
            continue
        assert due is not None
        month = month_of(renewal.due_date)
        before = sums.get(month, (NOTHING, NOTHING))
        sums[month] = before[0] + due, before[1] + min(due, 12 * (mrr or NOTHING))


class Hindsight(Book):
    """As if all that is known tonight had been known: a successor is closed by the grace's end."""

    def candidates(self, term: Term) -> list[Line]:
        return [line for line in super().candidates(term) if line.closed_on <= term.matures_on]

    def judge(self, versions: list[Line]) -> dict[str, Renewal]:
        desk = Desk([replace(line, known_on=dt.date.min) for line in versions], RATES)
        queue = sorted(
            self.terms.values(),
            key=lambda term: (min(NIGHT, term.matures_on), term.end or FAR, term.key),
        )
        judged = [(term, *judge_term(term, self, NIGHT, desk)) for term in queue]
        return {
            term.key: replace(renewal, renewed_mrr=desk.renewed(term, other, renewal.outcome))
            if other
            else renewal
            for term, renewal, other in judged
        }


def test_renewals_are_restated_by_what_was_learnt_late(
    books: list[list[Line]], company: duckdb.DuckDBPyConnection
) -> None:
    closed: Sums = {}
    now: Sums = {}
    for versions in books:
        add_up(versions, judge(versions, NIGHT, RATES), closed, in_time=True)
        add_up(versions, Hindsight(versions, NIGHT).judge(versions), now, in_time=False)
    expected = {
        (month, measure): pytest.approx((float(was), float(is_now)), abs=0.001)
        for month in closed.keys() | now.keys()
        if is_mature(month, NIGHT)
        for measure, was, is_now in zip(
            ("due_arr", "renewed_arr"),
            closed.get(month, (NOTHING, NOTHING)),
            now.get(month, (NOTHING, NOTHING)),
            strict=True,
        )
        if abs(was - is_now) >= Fraction(1, 200)
    }
    found = company.execute(
        """
        select month_start, measure, as_closed::double, as_known_now::double
        from night.main.restatements where measure in ('due_arr', 'renewed_arr')
        """
    ).fetchall()
    assert len(expected) > 5
    assert {(month, measure): (was, is_now) for month, measure, was, is_now in found} == expected


def is_short(line: Line, due_date: dt.date) -> bool:
    """Below three months, by the days of a term that is not of whole months."""
    start = next(start for _, start, end in due_dates(line) if end == due_date)
    months = whole_months(line.start, line.end or due_date)
    return months < 3 if months is not None else (due_date - start).days * 12 / 365 < 3


def test_renewed_arr_of_a_month_is_what_was_closed_in_it(
    books: list[list[Line]], company: duckdb.DuckDBPyConnection
) -> None:
    expected: dict[dt.date, Fraction] = defaultdict(Fraction)
    for versions in books:
        for key, renewal in judge(versions, NIGHT, RATES).items():
            told = [line for line in versions if line.line_id == key.split("#")[0]]
            line = max(told, key=lambda line: line.known_on)
            if renewal.outcome_date is None or renewal.due_date is None or arr_of(line) is None:
                continue
            if not is_short(line, renewal.due_date):
                month = month_of(renewal.outcome_date)
                expected[month] += 12 * (renewal.renewed_mrr or NOTHING)
    found = company.execute(
        "select month_start, renewed_arr::double from night.main.kpi_monthly"
    ).fetchall()
    assert sum(amount > 0 for _, amount in found) > 20
    assert dict(found) == {
        month: pytest.approx(float(expected[month]), abs=0.01) for month, _ in found
    }


def terms_on(versions: list[Line], day: dt.date) -> list[Term]:
    """Terms that run or are signed on that day, as known then."""
    book = Book([line for line in versions if line.known_on <= day], day)
    return [
        term
        for term in book.terms.values()
        if term.end is not None
        and min(term.end, book.ended_on(term), book.stops(term.line)) > max(day, term.start)
        and (term.start <= day or term.number == 1)
    ]


def effective(sizes: list[Fraction]) -> Fraction:
    """How many terms of one size would tell as much."""
    return sum(sizes, NOTHING) ** 2 / sum(size**2 for size in sizes)


def bounds(rate: float, n: float) -> tuple[float, float]:
    """The wider of Wilson's and the normal interval, within nothing and everything."""
    z = statistics.NormalDist().inv_cdf(0.975)
    middle, half = rate + z * z / (2 * n), z * math.sqrt(rate * (1 - rate) / n + (z / n) ** 2 / 4)
    wilson = [(middle + sign * half) / (1 + z * z / n) for sign in (-1, 1)]
    normal = z * math.sqrt(rate * (1 - rate) / n)
    return max(0, min(wilson[0], rate - normal)), min(1, max(wilson[1], rate + normal))


def test_forecasts_are_what_is_due_times_the_rate_contract_by_contract(
    books: list[list[Line]], company: duckdb.DuckDBPyConnection, segments: Described
) -> None:
    judged: dict[str, Renewal] = {}
    # What was due and kept of each term whose outcome tells a rate, by segment and month.
    cohorts: dict[str, dict[dt.date, list[tuple[Fraction, Fraction]]]] = {}
    for versions in books:
        of_customer = judge(versions, NIGHT, RATES)
        judged |= of_customer
        for key, renewal in of_customer.items():
            sums: Sums = {}
            add_up(versions, {key: renewal}, sums, in_time=True)
            for month, figures in sums.items():
                line = next(line for line in versions if line.line_id == key.split("#")[0])
                day = min(NIGHT, matures_on(line, renewal))
                for segment in ("all", segments.on(customer_of(line), day)):
                    of_segment = cohorts.setdefault(segment, defaultdict(list))
                    of_segment[month].append(figures)

    def kept(term: Term) -> Fraction:
        arr, renewal = arr_of(term.line), judged.get(term.key)
        if arr is None or renewal is None or renewal.due_date != term.end:
            return NOTHING
        if renewal.renewed_mrr is None:
            return arr if renewal.successor else NOTHING
        rate = RATES[term.line.currency] or NOTHING
        return min(arr, 12 * renewal.renewed_mrr) if rate else NOTHING

    def forecast(segment: str, month: dt.date, terms: list[Term]) -> tuple[object, ...]:
        past = cohorts.get(segment, {})
        months = sorted(due for due in past if is_mature(due, made_on))[-12:]
        seen = [figures for due in months for figures in past[due]]
        sizes = [arr for term in terms if (arr := arr_of(term.line))]
        arr = sum(sizes, NOTHING)
        actual = float(sum(map(kept, terms), NOTHING)) if is_mature(month, NIGHT) else None
        if not seen:
            return len(terms), float(arr), None, None, None, None, actual
        rate = sum(part for _, part in seen) / sum(part for part, _ in seen)
        low, high = (0.0, 0.0)
        if sizes:
            n = 1 / (1 / effective([size for size, _ in seen]) + 1 / effective(sizes))
            low, high = (float(arr) * bound for bound in bounds(float(rate), float(n)))
        return len(terms), float(arr), len(months), float(arr * rate), low, high, actual

    expected = {}
    made_on = min(month_of(line.known_on) for versions in books for line in versions)
    while made_on <= NIGHT:
        due: dict[tuple[dt.date, str], list[Term]] = defaultdict(list)
        for term in (term for versions in books for term in terms_on(versions, made_on)):
            assert term.end is not None
            for segment in ("all", segments.on(customer_of(term.line), made_on)):
                due[month_of(term.end), segment].append(term)
        for (month, segment), terms in due.items():
            if add_months(made_on, 1) <= month <= add_months(made_on, 12):
                expected[made_on, month, segment] = forecast(segment, month, terms)
        made_on = add_months(made_on, 1)
    found = company.execute(
        """
        select made_on, due_month, segment, term_count, due_arr::double, cohort_count,
            expected_arr::double, low::double, high::double, actual_arr::double
        from night.main.renewal_forecast
        """
    ).fetchall()
    assert {segment for _, _, segment in expected} == {"all", "big", "small", "young", "unknown"}
    assert any(
        cohort_count is None and segment == "young"
        for _, _, segment, _, _, cohort_count, *_ in found
    )
    assert len(found) > 800
    assert {row[:3]: row[3:] for row in found} == {
        key: pytest.approx(figures, abs=0.01) for key, figures in expected.items()
    }
