"""What becomes of every renewal, worked out contract by contract in plain Python.

Written from the definitions alone, to be compared with the models: it knows no SQL, takes one
customer at a time and asks at each term's own deadline what was known by then.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

WINDOW, GAP, ON_TIME, HORIZON_MONTHS = 180, 7, 7, 12
FAR = dt.date(2100, 1, 1)


def add_months(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(day.day, last))


def whole_months(start: dt.date, end: dt.date) -> int | None:
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if months > 0 and add_months(start, months) == end else None


def grace_days(start: dt.date, end: dt.date) -> int:
    months, days = whole_months(start, end), (end - start).days
    if (months is not None and months <= 1) or (months is None and days <= 31):
        return 14
    if (months is not None and months <= 6) or (months is None and days <= 184):
        return 30
    return 90


def mrr_of(amount: Fraction, start: dt.date, end: dt.date) -> Fraction:
    months = whole_months(start, end)
    if months is not None:
        return amount / months
    return amount * 365 / (12 * (end - start).days)


@dataclass(frozen=True)
class Line:
    """A line as one of its versions has it; `known_on` is the day that version was known."""

    line_id: str
    contract: str
    product: str
    kind: str
    currency: str
    amount: Fraction
    start: dt.date
    end: dt.date | None
    closed_on: dt.date
    known_on: dt.date
    is_auto: bool = False
    replaces: str | None = None
    previous_contract: str | None = None
    noted_on: dt.date | None = None
    cancelled_on: dt.date | None = None


@dataclass(frozen=True)
class Term:
    line: Line
    number: int
    start: dt.date
    end: dt.date | None

    @property
    def key(self) -> str:
        return f"{self.line.line_id}#{self.number}"

    @property
    def matures_on(self) -> dt.date:
        return FAR if self.end is None else self.end + dt.timedelta(days=self.grace)

    @property
    def grace(self) -> int:
        return grace_days(self.start, self.end or FAR)

    @property
    def mrr(self) -> Fraction:
        if self.line.end is None:
            return Fraction(0)
        return mrr_of(self.line.amount, self.line.start, self.line.end)


@dataclass(frozen=True)
class Renewal:
    term_id: str
    due_date: dt.date | None
    outcome: str
    outcome_date: dt.date | None = None
    successor: str | None = None
    renewed_mrr: Fraction | None = None


def due_dates(line: Line) -> Iterator[tuple[int, dt.date, dt.date]]:
    """Number, start and end of the periods of a line, without end where it goes on by itself."""
    assert line.end is not None
    months, days = whole_months(line.start, line.end), (line.end - line.start).days
    start = line.start
    for number in itertools.count(1):
        end = line.start + dt.timedelta(number * days)
        if months is not None:
            end = add_months(line.start, number * months)
        yield number, start, end
        start = end


class Book:
    """The lines of a customer as known on one day: who follows whom, and which terms there are."""

    def __init__(self, known: Iterable[Line], night: dt.date) -> None:
        newest = {line.line_id: line for line in sorted(known, key=lambda line: line.known_on)}
        self.night = night
        self.lines = list(newest.values())
        named = {line.line_id: self.replacements(line) for line in self.lines}
        self.lines = [
            line
            for line in self.lines
            if line.cancelled_on is None or line.cancelled_on > line.start
        ]
        self.ends = {line.line_id: self.replacements(line) for line in self.lines}
        # What was replaced before it began is no term; it ends what it was to replace, no more.
        self.lines = [
            line
            for line in self.lines
            if all(other.start > line.start for other in self.ends[line.line_id])
        ]
        # A line is taken over once: who names it later follows what took it over.
        self.links = {
            line.line_id: [
                other
                for other in self.ends[line.line_id]
                if other in self.lines
                and all(other.start <= rival.start for rival in named[line.line_id])
            ]
            for line in self.lines
        }
        self.linked = {other.line_id for links in self.links.values() for other in links}
        self.taken: dict[str, dt.date] = {}
        self.take_over()
        self.terms = {term.key: term for line in self.lines for term in self.terms_of(line)}

    def replacements(self, line: Line) -> list[Line]:
        """Lines linked to this one: by themselves, or by order and common product or kind."""
        found = [other for other in self.lines if other.replaces == line.line_id]
        for other in self.lines:
            if other.previous_contract != line.contract or other.replaces is not None:
                continue
            olds = {old.product for old in self.lines if old.contract == line.contract}
            news = {new.product for new in self.lines if new.contract == other.contract}
            if other.product == line.product or (
                other.kind == line.kind and other.product not in olds and line.product not in news
            ):
                found.append(other)
        return found

    def stops_apart(self, line: Line) -> dt.date:
        """The day a line that goes on by itself stops for its own or a link's sake."""
        links = self.ends[line.line_id]
        for _, start, due in due_dates(line):
            grace = dt.timedelta(grace_days(start, due))
            if (
                (line.noted_on and line.noted_on < due)
                or any(new.closed_on <= due and new.start <= due + grace for new in links)
                or any(new.start <= due for new in links)
                or (line.cancelled_on and line.cancelled_on <= due)
                or due > self.night + dt.timedelta(2 * 366)
            ):
                return min([*(new.start for new in links), line.cancelled_on or FAR, due])
        raise AssertionError

    def take_over(self) -> None:
        """Without a link: a line of the same product, or a version after a version, that starts
        where a period ends stops the one line that still runs and is due nearest, each once."""
        for other in sorted(self.lines, key=lambda line: (line.start, line.line_id)):
            options = []
            for line in self.lines:
                is_same = line.product == other.product
                if (
                    not line.is_auto
                    or line.start >= other.start
                    or line.line_id in self.taken
                    or other.line_id in self.linked
                    or not (is_same or line.kind == other.kind == "version")
                ):
                    continue
                gap = dt.timedelta(GAP)
                due = next(end for _, _, end in due_dates(line) if other.start <= end + gap)
                if other.start < due - gap or self.stops_apart(line) < due:
                    continue
                distance = abs((due - other.start).days)
                newest_first = -line.start.toordinal()
                options.append((not is_same, distance, newest_first, line.line_id, due))
            if options:
                *_, line_id, due = min(options)
                self.taken[line_id] = due

    def terms_of(self, line: Line) -> Iterator[Term]:
        """The periods of a line that have begun by the night; the first also before."""
        if line.end is None or not line.is_auto:
            yield Term(line, 1, line.start, line.end)
            return
        stop = self.stops(line)
        for number, start, end in due_dates(line):
            if number > 1 and (start > self.night or start >= stop):
                return
            yield Term(line, number, start, end)

    def stops(self, line: Line) -> dt.date:
        return min(self.stops_apart(line), self.taken.get(line.line_id, FAR))

    def goes_on(self, term: Term) -> bool:
        return bool(term.line.is_auto and term.end and self.stops(term.line) > term.end)

    def ended_on(self, term: Term) -> dt.date:
        """Day after the last day the term truly ran."""
        links = self.ends[term.line.line_id]
        ends = [term.end or FAR, term.line.cancelled_on or FAR, *(new.start for new in links)]
        return min(ends)

    def candidates(self, term: Term) -> list[Line]:
        """Lines that may follow the term, the best first."""
        assert term.end is not None
        due, line = term.end, term.line
        ranked = []
        for other in self.lines:
            is_near = (
                due - dt.timedelta(WINDOW) <= other.start <= due + dt.timedelta(term.grace)
                and other.start > term.start
                and other.line_id != line.line_id
                and other.line_id not in self.linked
            )
            if other in self.links[line.line_id]:
                tier = 0
            elif is_near and other.product == line.product:
                tier = 1
            elif is_near and other.kind == line.kind:
                tier = 2
            else:
                continue
            distance = abs((other.start - due).days)
            ranked.append(((tier, distance, other.start, other.line_id), other))
        return [other for _, other in sorted(ranked, key=lambda pair: pair[0])]

    def joins_other_contract(self, term: Term, successor: Line) -> bool:
        """An add-on taken into an order whose version goes on from another order."""
        if term.line.kind == "version" or successor not in self.links[term.line.line_id]:
            return False
        continued = {
            old.contract
            for old in self.lines
            if old.kind == "version"
            and any(new.contract == successor.contract for new in self.links[old.line_id])
        }
        return bool(continued) and term.line.contract not in continued


def judge(
    versions: Sequence[Line], day: dt.date, rates: Mapping[str, Fraction | None]
) -> dict[str, Renewal]:
    """Every renewal of one customer as of that day, by term; each MRR is spent once.

    `rates` are the company's currency for one of each other; None: there is no rate.
    """
    versions = sorted(
        (line for line in versions if line.known_on <= day), key=lambda line: line.known_on
    )
    books: dict[int, Book] = {}

    def book_on(deadline: dt.date) -> Book:
        count = sum(line.known_on <= deadline for line in versions)
        if count not in books:
            books[count] = Book(versions[:count], day)
        return books[count]

    found: list[tuple[dt.date, bool, Term, Book]] = []
    for line in {line.line_id: line for line in reversed(versions)}.values():
        for number, start, end in due_dates(line) if line.end else [(1, line.start, None)]:
            if number > 1 and (not line.is_auto or start > day):
                break
            period = Term(line, number, start, end)
            deadline, is_late = min(day, period.matures_on), period.matures_on < line.known_on
            if is_late:
                deadline = day
            book = book_on(deadline)
            if period.key in book.terms:
                found.append((deadline, is_late, book.terms[period.key], book))
    found.sort(key=lambda item: (item[0], item[1], item[2].end or FAR, item[2].key))
    desk = Desk(versions, rates)
    judged = [judge_term(term, book, deadline, desk) for deadline, _, term, book in found]
    return {
        term.key: replace(renewal, renewed_mrr=desk.renewed(term, other, renewal.outcome))
        if other
        else renewal
        for (_, _, term, _), (renewal, other) in zip(found, judged, strict=True)
    }


class Desk:
    """What is left of every line's MRR, and to whom its surplus goes; company's currency."""

    def __init__(self, versions: Sequence[Line], rates: Mapping[str, Fraction | None]) -> None:
        self.rates = rates
        # A link holds also where the line served another before the link was known.
        self.left: dict[tuple[str, bool], Fraction] = {}
        self.given: dict[str, Fraction] = {}
        self.place: dict[str, tuple[str, bool]] = {}
        self.first: dict[tuple[str, bool], tuple[str, dt.date]] = {}
        self.known_on: dict[str, dt.date] = {}
        for line in versions:
            known_on = self.known_on.get(line.line_id, FAR)
            self.known_on[line.line_id] = min(known_on, line.known_on)

    def worth(self, term: Term) -> Fraction | None:
        rate = self.rates[term.line.currency]
        return Fraction(0) if term.mrr == 0 else rate and term.mrr * rate

    def serve(self, other: Line, term: Term, deadline: dt.date, book: Book) -> bool:
        """Give the term its part of the line; False: the line is spent, or spoken for."""
        place = other.line_id, other in book.links[term.line.line_id]
        worth = self.worth(Term(other, 1, other.start, other.end)) or Fraction(0)
        first, first_deadline = self.first.setdefault(place, (term.key, deadline))
        left = self.left.setdefault(place, worth)
        comes_too_late = self.known_on[term.line.line_id] > first_deadline
        if first != term.key and (left <= 0 or comes_too_late):
            return False
        self.given[term.key] = min(left, self.worth(term) or Fraction(0))
        self.left[place] = left - self.given[term.key]
        self.place[term.key] = place
        return True

    def renewed(self, term: Term, other: Line, outcome: str) -> Fraction | None:
        """What the term was given in the end; None where either has no rate."""
        due, worth = self.worth(term), self.worth(Term(other, 1, other.start, other.end))
        if due is None or worth is None:
            return None
        place = self.place[term.key]
        is_first = self.first[place][0] == term.key
        given = self.given[term.key] + (self.left[place] if is_first else 0)
        return min(given, due) if outcome == "coterminated" else given


def judge_term(
    term: Term, book: Book, deadline: dt.date, desk: Desk
) -> tuple[Renewal, Line | None]:
    due, line = term.end, term.line
    if due is None:
        return Renewal(term.key, None, "lifetime"), None
    following = f"{line.line_id}#{term.number + 1}"
    if following in book.terms:
        return Renewal(term.key, due, "auto_renewed", due, following, desk.worth(term)), None
    if book.goes_on(term):
        is_not_due = due > add_months(book.night, HORIZON_MONTHS)
        return Renewal(term.key, due, "not_due" if is_not_due else "open"), None
    served = (other for other in book.candidates(term) if desk.serve(other, term, deadline, book))
    other = next(served, None)
    if due > add_months(book.night, HORIZON_MONTHS):
        return Renewal(term.key, due, "not_due"), None
    if other is None:
        if book.night >= term.matures_on or line.noted_on or line.cancelled_on:
            ended_on = book.ended_on(term)
            return Renewal(term.key, due, "churned", ended_on, None, Fraction(0)), None
        return Renewal(term.key, due, "open"), None
    if book.joins_other_contract(term, other):
        outcome = "coterminated"
    elif other.closed_on < due:
        outcome = "renewed_early"
    elif other.closed_on <= due + dt.timedelta(ON_TIME):
        outcome = "renewed_on_time"
    else:
        outcome = "renewed_late"
    return Renewal(term.key, due, outcome, other.closed_on, f"{other.line_id}#1"), other
