"""What a month was at its close, what it is tonight and whose late row made the difference.

MRR, movements and retention are worked out customer by customer in plain Python from the books of
`renewal_oracle`, over late contracts, corrections, cancellations and rates.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from tests.dbt.contract_histories import Row, moment
from tests.dbt.renewal_oracle import FAR, Book, Line, Term, add_months
from tests.dbt.test_money_renewals import NIGHT, raw_rows, write_book
from tests.warehouse import run_models

CUSTOMERS, SEED = 60, 4
DAY, CLOSE, GAP = dt.timedelta(1), dt.timedelta(5), dt.timedelta(7)
FIRST_MONTH = dt.date(2022, 1, 1)
NOTHING = Fraction(0)
RATIOS = {"grr_12m": 1, "nrr_12m": 2}
Books = Mapping[str, list[Line]]


@dataclass(frozen=True)
class Rate:
    currency: str
    first_day: dt.date
    rate: Fraction
    known_on: dt.date

    @property
    def key(self) -> str:
        return f"{self.currency} {self.first_day}"


def correct(versions: list[Line], dice: random.Random) -> list[Line]:
    """Some amounts turn out to be others, up to ten months later."""
    found = list(versions)
    for line_id in dict.fromkeys(line.line_id for line in versions):
        newest = max((v for v in found if v.line_id == line_id), key=lambda v: v.known_on)
        known_on = newest.known_on + dt.timedelta(dice.randint(1, 300))
        if dice.random() < 0.1 and known_on <= NIGHT:
            amount = newest.amount + dice.choice((-50, 100))
            found.append(replace(newest, amount=amount, known_on=known_on))
    return found


def quote(dice: random.Random) -> list[Rate]:
    """Dollars of every month, some told late or corrected; francs told first in April 2023."""
    rates = []
    for number in range(45):
        day = add_months(dt.date(2021, 6, 1), number)
        known_on = day + dt.timedelta(dice.choice((0, 0, 0, 10, 120)))
        first = Rate("USD", day, Fraction(dice.randint(70, 95), 100), known_on)
        rates.append(first)
        if dice.random() < 0.1:
            later = known_on + dt.timedelta(dice.randint(10, 200))
            rates.append(replace(first, rate=first.rate + Fraction(1, 50), known_on=later))
    rates.append(Rate("CHF", dt.date(2023, 4, 1), Fraction(105, 100), dt.date(2023, 4, 1)))
    rates.append(Rate("CHF", dt.date(2023, 9, 10), Fraction(110, 100), dt.date(2024, 1, 20)))
    return [rate for rate in rates if rate.known_on <= NIGHT]


@pytest.fixture(scope="module")
def books() -> Books:
    dice = random.Random(SEED)
    written = {}
    for number in range(CUSTOMERS):
        versions = correct(write_book(f"c{number}", dice, can_be_late=True), dice)
        # Of who pays in francs every third pays in yen, which have no rate at all.
        written[f"c{number}"] = [
            replace(line, currency="JPY") if line.currency == "CHF" and number % 3 == 0 else line
            for line in versions
        ]
    return {name: versions for name, versions in written.items() if versions}


@pytest.fixture(scope="module")
def rates() -> list[Rate]:
    return quote(random.Random(SEED))


@pytest.fixture(scope="module")
def company(books: Books, rates: list[Rate]) -> duckdb.DuckDBPyConnection:
    rows = raw_rows(dict(books))
    rows["exchange_rates"] = [rate_row(rate) for rate in rates]
    return run_models(rows, NIGHT, ["restatements", "mrr_bridge_monthly"])


def rate_row(rate: Rate) -> Row:
    known_at = moment(rate.known_on)
    row = {"rate_date": str(rate.first_day), "currency": rate.currency, "rate": float(rate.rate)}
    return row | {"_known_at": known_at, "_version_at": known_at}


@dataclass(frozen=True)
class Span:
    """A term with the days on which its MRR counts, and the day it truly ended."""

    term: Term
    ends_on: dt.date
    counts_until: dt.date


class Told:
    """The company as somebody knows it on one day."""

    def __init__(self, books: Books, rates: Iterable[Rate], day: dt.date) -> None:
        known = sorted((rate for rate in rates if rate.known_on <= day), key=lambda r: r.known_on)
        self.rates = {(rate.currency, rate.first_day): rate.rate for rate in known}
        self.spans: dict[str, list[Span]] = {}
        for name, versions in books.items():
            if heard := [line for line in versions if line.known_on <= day]:
                self.spans[name] = list(self.spans_of(Book(heard, day)))

    @staticmethod
    def spans_of(book: Book) -> Iterable[Span]:
        for term in book.terms.values():
            line = term.line
            if line.end is None:
                continue
            stop = book.stops(line) if line.is_auto else FAR
            end = min(term.end or FAR, book.ended_on(term), stop)
            goes_on = f"{line.line_id}#{term.number + 1}" in book.terms
            following = [
                other.start
                for other in book.candidates(replace(term, end=end))
                if other.start <= end + GAP and not goes_on and other.end
            ]
            if end > term.start:
                yield Span(term, end, max([end, *following[:1]]))

    def rate(self, currency: str, day: dt.date) -> Fraction | None:
        days = [first for name, first in self.rates if name == currency and first <= day]
        return (
            Fraction(1) if currency == "EUR" else self.rates.get((currency, max(days, default=FAR)))
        )

    def held(self, name: str, day: dt.date) -> dict[str, Fraction]:
        """MRR on that day, by currency of the contract."""
        found: dict[str, Fraction] = defaultdict(Fraction)
        for span in self.spans.get(name, ()):
            if span.term.start <= day < span.counts_until:
                found[span.term.line.currency] += span.term.mrr
        return found

    def worth(self, held: Mapping[str, Fraction], *days: dt.date) -> Fraction:
        """In the company's currency, at the rate of the first of the days that has one."""
        return sum(
            (
                mrr * next((rate for day in days if (rate := self.rate(currency, day))), 0)
                for currency, mrr in held.items()
            ),
            NOTHING,
        )

    def lacks_rate(self, held: Mapping[str, Fraction], day: dt.date) -> bool:
        return any(self.rate(currency, day) is None for currency in held)

    def movement(self, name: str, month: dt.date) -> dict[str, Fraction]:
        """What a customer adds to the bridge of a month."""
        before, after = month - DAY, add_months(month, 1) - DAY
        had, has = self.held(name, before), self.held(name, after)
        opening, closing = self.worth(had, before), self.worth(has, after)
        found = {"opening_mrr": opening, "closing_mrr": closing}
        change = self.worth(has, before, after) - self.worth(had, before, after)
        if had and has:
            is_unknown = self.lacks_rate(had, before) or self.lacks_rate(has, after)
            change = NOTHING if is_unknown else change
            found["expansion" if change > 0 else "contraction"] = change
        elif had or has:
            found["churn" if had else self.kind_of_start(name, before)] = change
        return found | {"currency_effect": closing - opening - change}

    def kind_of_start(self, name: str, before: dt.date) -> str:
        earlier = [span for span in self.spans[name] if span.term.start <= before]
        if not earlier:
            return "new"
        last = max(earlier, key=lambda span: (span.ends_on, span.term.grace))
        back = min(span.term.start for span in self.spans[name] if span.term.start > before)
        is_in_grace = back <= last.ends_on + dt.timedelta(last.term.grace)
        return "late_renewal" if is_in_grace else "reactivation"

    def retention(self, name: str, month: dt.date) -> tuple[Fraction, Fraction, Fraction]:
        """Opening, retained and closing of the year that ends with the month."""
        start, end = add_months(month, -11) - DAY, add_months(month, 1) - DAY
        had, has = self.held(name, start), self.held(name, end)
        is_unknown = has and (self.lacks_rate(had, start) or self.lacks_rate(has, end))
        opening, closing = self.worth(had, start), self.worth(has, start, end)
        if is_unknown or opening == 0:
            return NOTHING, NOTHING, NOTHING
        return opening, min(opening, closing), closing

    def parts(self, name: str, month: dt.date, measure: str) -> tuple[Fraction, Fraction]:
        """What a customer adds to a measure: to its sum, or to a ratio's two sides."""
        if measure in RATIOS:
            sides = self.retention(name, month)
            return sides[RATIOS[measure]], sides[0]
        return self.movement(name, month).get(measure, NOTHING), NOTHING

    def total(self, books: Books, month: dt.date, measure: str) -> Fraction:
        above, below = map(
            sum, zip(*(self.parts(name, month, measure) for name in books), strict=True)
        )
        return Fraction(above) / (below or 1)


MEASURES = (
    *("opening_mrr", "closing_mrr", "new", "reactivation", "late_renewal", "expansion"),
    *("contraction", "churn", "currency_effect", *RATIOS),
)


@pytest.fixture(scope="module")
def told(books: Books, rates: list[Rate]) -> Mapping[dt.date, tuple[Told, Told]]:
    """By closed month: as told at its close, and as told tonight."""
    tonight = Told(books, rates, NIGHT)
    months = [add_months(FIRST_MONTH, number) for number in range(38)]
    return {
        month: (Told(books, rates, add_months(month, 1) - DAY + CLOSE), tonight) for month in months
    }


def restated(company: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return company.execute(
        f"""
        select month_start, measure, {columns} from night.main.restatements
        where measure not in ('due_arr', 'renewed_arr')
        """
    ).fetchall()


def test_both_values_customer_by_customer(
    books: Books,
    company: duckdb.DuckDBPyConnection,
    told: Mapping[dt.date, tuple[Told, Told]],
) -> None:
    expected = {}
    for month, (then, now) in told.items():
        for measure in MEASURES:
            was, is_now = (side.total(books, month, measure) for side in (then, now))
            limit = Fraction(5, 100_000) if measure in RATIOS else Fraction(1, 200)
            if abs(was - is_now) >= limit:
                expected[month, measure] = pytest.approx((float(was), float(is_now)), abs=0.001)
    found = restated(company, "coalesce(as_closed, 0)::double, coalesce(as_known_now, 0)::double")
    assert len(expected) > 200
    assert {(month, measure): (was, now) for month, measure, was, now in found} == expected


def is_of(line: Line | Rate, entity: object, key: object) -> bool:
    if isinstance(line, Rate):
        return entity == "exchange_rates" and line.key == key
    return entity == "order_lines" and line.line_id == key


def test_the_row_named_is_late_and_moved_the_customer_that_moved_most(
    books: Books,
    rates: list[Rate],
    company: duckdb.DuckDBPyConnection,
    told: Mapping[dt.date, tuple[Told, Told]],
) -> None:
    """Alone it would have changed what was said at the close, or tonight's would lack it."""
    wrong = []
    for row in restated(company, "cause_customer_id, cause_entity, cause_key"):
        month, measure, name, *cause = row
        then, now = told[month]
        close = add_months(month, 1) - DAY + CLOSE
        moved = {
            other: sum(abs(a - b) for a, b in zip(was, is_now, strict=True))
            for other in books
            for was, is_now in [
                (then.parts(other, month, measure), now.parts(other, month, measure))
            ]
        }
        lines = [line for line in books[name] if line.known_on > close and is_of(line, *cause)]
        late = [rate for rate in rates if rate.known_on > close and is_of(rate, *cause)]
        without = Told(
            {name: [line for line in books[name] if line not in lines]},
            [rate for rate in rates if rate not in late],
            NIGHT,
        )
        alone = Told(
            {
                name: [line for line in books[name] if line.known_on <= close]
                + [replace(line, known_on=close) for line in lines]
            },
            [rate for rate in rates if rate.known_on <= close]
            + [replace(rate, known_on=close) for rate in late],
            close,
        )
        moves = any(
            told_so.parts(name, month, measure) != other.parts(name, month, measure)
            for told_so, other in ((then, alone), (now, without))
        )
        if moved[name] < max(moved.values()) - Fraction(1, 1000) or not moves:
            wrong.append(row)
    assert wrong == []
