"""Forecasts and restated renewals, worked out again contract by contract in plain Python."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import duckdb
import pytest

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
)
from tests.dbt.test_money_renewals import NIGHT, RATES, raw_rows, write_book
from tests.warehouse import run_models

CUSTOMERS, SEED = 60, 3
LONGEST_GRACE = dt.timedelta(90)
NOTHING = Fraction(0)
Sums = dict[dt.date, tuple[Fraction, Fraction]]


@pytest.fixture(scope="module")
def books() -> list[list[Line]]:
    dice = random.Random(SEED)
    written = [write_book(f"c{no}", dice, can_be_late=True) for no in range(CUSTOMERS)]
    return [versions for versions in written if versions]


@pytest.fixture(scope="module")
def company(books: list[list[Line]]) -> duckdb.DuckDBPyConnection:
    by_customer = {versions[0].contract.split("-")[0]: versions for versions in books}
    return run_models(raw_rows(by_customer), NIGHT, ["renewal_forecast", "restatements"])


def month_of(day: dt.date) -> dt.date:
    return day.replace(day=1)


def is_mature(due_month: dt.date, day: dt.date) -> bool:
    return add_months(due_month, 1) - dt.timedelta(1) + LONGEST_GRACE <= day


def arr_of(line: Line) -> Fraction | None:
    rate = RATES[line.currency]
    return None if rate is None else 12 * Term(line, 1, line.start, line.end).mrr * rate


def is_known_late(versions: list[Line], line: Line, renewal: Renewal) -> bool:
    number = int(renewal.term_id.split("#")[1])
    _, start, end = next(itertools.islice(due_dates(line), number - 1, None))
    first_known = min(other.known_on for other in versions if other.line_id == line.line_id)
    return end + dt.timedelta(grace_days(start, end)) < first_known


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


def test_forecasts_are_what_is_due_times_the_rate_contract_by_contract(
    books: list[list[Line]], company: duckdb.DuckDBPyConnection
) -> None:
    judged: dict[str, Renewal] = {}
    cohorts: Sums = {}
    for versions in books:
        of_customer = judge(versions, NIGHT, RATES)
        judged |= of_customer
        add_up(versions, of_customer, cohorts, in_time=True)

    def kept(term: Term) -> Fraction:
        arr, renewal = arr_of(term.line), judged.get(term.key)
        if arr is None or renewal is None or renewal.due_date != term.end:
            return NOTHING
        if renewal.renewed_mrr is None:
            return arr if renewal.successor else NOTHING
        rate = RATES[term.line.currency] or NOTHING
        return min(arr, 12 * renewal.renewed_mrr) if rate else NOTHING

    expected = {}
    made_on = min(month_of(line.known_on) for versions in books for line in versions)
    while made_on <= NIGHT:
        due: dict[dt.date, list[Term]] = defaultdict(list)
        for term in (term for versions in books for term in terms_on(versions, made_on)):
            assert term.end is not None
            due[month_of(term.end)].append(term)
        mature = sorted(month for month in cohorts if is_mature(month, made_on))[-12:]
        base = sum((cohorts[month][0] for month in mature), NOTHING)
        rate = sum((cohorts[month][1] for month in mature), NOTHING) / base if base else None
        for month in due.keys() & {add_months(made_on, ahead) for ahead in range(1, 13)}:
            arr = sum((arr_of(term.line) or NOTHING for term in due[month]), NOTHING)
            expected[made_on, month] = (
                len(due[month]),
                float(arr),
                len(mature) or None,
                None if rate is None else float(arr * rate),
                float(sum(map(kept, due[month]), NOTHING)) if is_mature(month, NIGHT) else None,
            )
        made_on = add_months(made_on, 1)
    found = company.execute(
        """
        select made_on, due_month, term_count, due_arr::double, cohort_count,
            expected_arr::double, actual_arr::double
        from night.main.renewal_forecast where segment = 'all'
        """
    ).fetchall()
    assert len(found) > 200
    assert {row[:2]: row[2:] for row in found} == {
        key: pytest.approx(figures, abs=0.001) for key, figures in expected.items()
    }
