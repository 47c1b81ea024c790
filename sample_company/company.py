"""The whole company as the simulator knows it: built once, then only read by the writers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sample_company.behaviour import Behaviour, simulate
from sample_company.catalogue import exchange_rates
from sample_company.contract_book import Book
from sample_company.contracts import write_contracts
from sample_company.customers import Customer, make_customers
from sample_company.dates import LAST_DAY
from sample_company.people import Staff, hire
from sample_company.selling import Loss, Seller


@dataclass(frozen=True)
class Company:
    """`rates`: euros for one US dollar by working day; `losses`: who left, when, and why."""

    seed: int
    start: date
    customers: list[Customer]
    behaviour: Behaviour
    book: Book
    losses: list[Loss]
    staff: Staff
    rates: Mapping[date, float]


def build(customers: int, months: int, seed: int, no_signal: bool) -> Company:
    """Customers, then their behaviour, then their contracts under its hazard."""
    people = make_customers(customers, months, seed, no_signal)
    behaviour = simulate(people, months, seed, no_signal)
    book = Book()
    seller = Seller(book, behaviour, people, seed)
    write_contracts(seller, people)
    book.settle()
    return Company(
        seed=seed,
        start=behaviour.start,
        customers=people,
        behaviour=behaviour,
        book=book,
        losses=seller.losses,
        staff=hire(people, months, seed),
        rates=exchange_rates(behaviour.start - timedelta(days=10), LAST_DAY, seed),
    )
