"""What is true, read from the simulator's own state: never from the files, never re-derived.

Money is exact. A term's mrr is a fraction of cents; tables hold it as decimal(38, 10), rounded
half up in the last place: first the term's mrr in the contract's currency, then the sum in the
company's currency (each currency's exact sum times that day's rate).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from sample_company.catalogue import CHF_KNOWN_FROM, CHF_RATE
from sample_company.company import Company
from sample_company.contract_book import Book, Term
from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, month_end, months_of
from sample_company.files import Manifest, write_parquet
from sample_company.stories import (
    CONTRACT_STORIES,
    FAULT_STORIES,
    SERVICE_STORIES,
    USE_STORIES,
)
from sample_company.tables import DATE, FLAG, NUMBER, TEXT, WHOLE, table

MRR = pl.Decimal(38, 10)
TEN_PLACES = Decimal("0.0000000001")
HOW_OUTCOMES = {
    "auto_renewed": "auto_renewed",
    "renewed_early": "renewed_early",
    "renewed_on_time": "renewed_on_time",
    "renewed_late": "renewed_late",
    "coterminated": "coterminated",
    "returned": "churned",
    "not_renewed": "churned",
    "refused": "churned",
}


def decimal(value: Fraction) -> Decimal:
    """A fraction to ten places, half up."""
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return exact.quantize(TEN_PLACES, ROUND_HALF_UP)


def survivor(customer: Customer) -> str:
    """The record that stands for the customer: the one it was merged into, if it was."""
    return customer.merged_into_customer_id or customer.customer_id


def rate_on(rates: Mapping[date, float], currency: str, day: date) -> Fraction | None:
    """Euros per unit: a rate of US dollars holds until the next, that of francs came late."""
    if currency == "EUR":
        return Fraction(1)
    if currency == "CHF":
        return Fraction(str(CHF_RATE)) if day >= CHF_KNOWN_FROM else None
    while day not in rates:
        day -= timedelta(days=1)
    return Fraction(str(rates[day]))


class Ledger:
    """MRR of every customer on any day, per contract currency, from the terms of the book."""

    def __init__(self, book: Book, rates: Mapping[date, float]) -> None:
        self.rates = rates
        self.terms: dict[str, list[tuple[Term, date, Fraction]]] = defaultdict(list)
        far = LAST_DAY + timedelta(days=10000)
        for term in book.terms:
            if term.mrr is not None:
                until = term.gap_until or term.effective_end or far
                self.terms[survivor(term.customer)].append((term, until, term.mrr))

    def by_currency(self, customer_id: str, day: date) -> dict[str, Fraction]:
        sums: dict[str, Fraction] = {}
        for term, until, mrr in self.terms.get(customer_id, ()):
            if term.start <= day < until:
                sums[term.currency] = sums.get(term.currency, Fraction(0)) + mrr
        return sums

    def mrr(self, customer_id: str, day: date) -> Fraction | None:
        """In the company's currency, at the day's rate; None where a currency has no rate yet."""
        total = Fraction(0)
        for currency, amount in self.by_currency(customer_id, day).items():
            rate = rate_on(self.rates, currency, day)
            if rate is None:
                return None
            total += amount * rate
        return total

    def steps(self, customer_id: str) -> list[tuple[date, float, int]]:
        """Days on which MRR changes, MRR from then on (own currency), length of what ended."""
        terms = self.terms.get(customer_id, ())
        changes: dict[date, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for term, until, mrr in terms:
            changes[term.start][0] += float(mrr)
            changes[until][0] -= float(mrr)
            length = ((term.end or until) - term.start).days
            changes[until][1] = max(changes[until][1], length)
        level, found = 0.0, []
        for day in sorted(changes):
            level += changes[day][0]
            found.append((day, round(level, 6), int(changes[day][1])))
        return found


def write_contract_truth(folder: Path, company: Company, ledger: Ledger) -> None:
    """`terms`, `renewals`, `customer_months`, `totals`."""
    book = company.book
    write_parquet(folder / "terms.parquet", _terms(book))
    write_parquet(folder / "renewals.parquet", _renewals(book))
    write_parquet(folder / "customer_months.parquet", _customer_months(company, ledger))
    totals = {
        "orders": len(book.orders),
        "order_lines": len(book.lines),
        "order_line_amount": str(Decimal(sum(line.amount for line in book.lines)) / 100),
        "subscriptions": len(book.subscriptions),
        "terms": len(book.terms),
        "last_day": str(LAST_DAY),
    }
    write_json(folder / "totals.json", totals)


def _terms(book: Book) -> pl.DataFrame:
    columns = {
        "customer_id": TEXT, "product_id": TEXT, "key": TEXT, "period": WHOLE,
        "term_start": DATE, "term_end": DATE, "effective_end": DATE, "gap_until": DATE,
        "mrr": MRR, "currency": TEXT, "quantity": WHOLE, "is_trial": FLAG, "is_lifetime": FLAG,
        "how": TEXT, "delivered_customer_id": TEXT,
    }  # fmt: skip
    rows = [
        (
            survivor(term.customer), term.product_id, term.key, term.period, term.start, term.end,
            term.effective_end, term.gap_until, None if term.mrr is None else decimal(term.mrr),
            term.currency, term.quantity, term.is_trial, term.is_lifetime, term.how,
            term.customer.customer_id,
        )
        for term in book.terms
    ]  # fmt: skip
    return table(columns, rows)


def _renewals(book: Book) -> pl.DataFrame:
    """Paid terms with an end: how each ended in the simulator's own knowledge.

    `outcome` in the words of the metric definitions where they leave no doubt, else null: a term
    cut short (`replaced`, `cancelled`, `refunded`, `left_out`) is told by `how` alone.
    """
    columns = {
        "customer_id": TEXT, "key": TEXT, "period": WHOLE, "due_date": DATE, "how": TEXT,
        "outcome": TEXT, "outcome_on": DATE, "successor_key": TEXT,
    }  # fmt: skip
    rows = []
    for term in book.terms:
        if term.is_trial or term.end is None:
            continue
        how = term.how
        outcome = HOW_OUTCOMES.get(how)
        if how == "":
            outcome = "open"
        if how in ("not_renewed", "returned") and (LAST_DAY - term.end).days < grace(term):
            outcome = "open"
        if how == "renewed_late" and not ((term.outcome_on or term.end) - term.end).days > 7:
            outcome = None
        rows.append(
            (
                survivor(term.customer), term.key, term.period, term.end, how, outcome,
                term.outcome_on, term.successor_key,
            )
        )  # fmt: skip
    return table(columns, rows)


def grace(term: Term) -> int:
    days = ((term.end or LAST_DAY) - term.start).days
    return 14 if days <= 31 else 30 if days <= 184 else 90


def _customer_months(company: Company, ledger: Ledger) -> pl.DataFrame:
    """MRR on the last day of each month, from the customer's first term on.

    `state` is the simulator's word: trial, paying (a paid term or a bridged gap covers the day),
    signed (approved and still to start), lost (paid before, nothing now), none.
    """
    columns = {
        "customer_id": TEXT, "month_start": DATE, "mrr": MRR, "mrr_eur_contracts": MRR,
        "mrr_usd_contracts": MRR, "is_paying": FLAG, "state": TEXT,
    }  # fmt: skip
    terms: dict[str, list[Term]] = defaultdict(list)
    for term in company.book.terms:
        terms[survivor(term.customer)].append(term)
    rows = []
    months = months_of(company.start, LAST_DAY)
    for customer in company.customers:
        own = terms.get(customer.customer_id, [])
        if not own:
            continue
        first = min(LAST_DAY, *(term.start for term in own))
        for month in months:
            day = month_end(month)
            if day < first:
                continue
            paid = [term for term in own if not term.is_trial]
            is_paying = any(term.covers(day) or term.bridges(day) for term in paid)
            if is_paying:
                state = "paying"
            elif any(term.is_trial and term.covers(day) for term in own):
                state = "trial"
            elif any(term.start <= day for term in paid):
                state = "lost"
            else:
                state = "signed" if any(term.closed_on <= day for term in paid) else "none"
            sums = ledger.by_currency(customer.customer_id, day)
            mrr = ledger.mrr(customer.customer_id, day)
            rows.append(
                (
                    customer.customer_id, month, None if mrr is None else decimal(mrr),
                    decimal(sums.get("EUR", Fraction(0))), decimal(sums.get("USD", Fraction(0))),
                    is_paying, state,
                )
            )  # fmt: skip
    return table(columns, rows)


def write_stories(folder: Path, company: Company) -> None:
    """`stories.csv`: which customer lives which story, and what the story says."""
    faults = {fault: meaning for fault, (_, meaning) in FAULT_STORIES.items()}
    told = CONTRACT_STORIES | USE_STORIES | SERVICE_STORIES | faults
    behaviour = company.behaviour
    rows = [
        (customer.customer_id, story, told[story])
        for customer in company.customers
        for story in sorted(customer.stories)
    ]
    frame = table({"customer_id": TEXT, "story": TEXT, "meaning": TEXT}, rows)
    frame.write_csv(folder / "stories.csv")
    paths = [
        (
            customer.customer_id,
            round(float(behaviour.propensity[customer.index]), 4),
            round(float(behaviour.latent[customer.index, -1]), 4),
            round(float(behaviour.risk[customer.index, -1]), 4),
        )
        for customer in company.customers
    ]
    columns = {"customer_id": TEXT, "propensity": NUMBER, "latent_now": NUMBER, "risk_now": NUMBER}
    table(columns, paths).write_csv(folder / "characters.csv")


def write_files_truth(folder: Path, manifest: Manifest) -> None:
    """`files.csv` and `bad_rows.csv`: what every file holds, and each bad row's place."""
    files = sorted(manifest.files, key=lambda fact: fact.file)
    table(
        {"file": TEXT, "entity": TEXT, "source": TEXT, "rows": WHOLE, "bad": WHOLE,
         "duplicate": WHOLE},
        [(f.file, f.entity, f.source, f.rows, f.bad, f.duplicate) for f in files],
    ).write_csv(folder / "files.csv")  # fmt: skip
    bad = sorted(manifest.bad_rows, key=lambda row: (row.file, row.line))
    table(
        {"file": TEXT, "line": WHOLE, "entity": TEXT, "column": TEXT, "reason": TEXT},
        [(b.file, b.line, b.entity, b.column, b.reason) for b in bad],
    ).write_csv(folder / "bad_rows.csv")


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
