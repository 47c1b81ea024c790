"""How contracts live: sold, renewed early or late, extended by themselves, enlarged, lost.

`Seller` moves a customer's contracts along the book until the customer leaves or the last day
comes. Whether a customer leaves is asked of the behaviour's hazard, at each boundary and inside
the terms; a story may force the first renewals to go a certain way.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from sample_company.behaviour import Behaviour
from sample_company.catalogue import PRODUCTS, list_price
from sample_company.contract_book import Book, Line
from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, add_months, working_day

# How renewals by a new order come about, and how often when no story says.
RENEWALS = {"early": 0.28, "on_time": 0.44, "short_gap": 0.1, "late": 0.1, "backdated": 0.08}
WEAK = 0.6  # use against the customer's own normal: below, seats are given up more often
REASONS = ("price", "competitor", "no_need", "missing_feature", "no_adoption", "service", "budget")


@dataclass(frozen=True)
class Plan:
    """What a customer buys: terms of so many months, of which products, linked how."""

    months: int
    product_id: str
    is_auto: bool = False
    addons: tuple[str, ...] = ()
    link: str = "order"  # order, line, none
    seats: int = 0
    factor: float = 1.0  # of the list price


@dataclass(frozen=True)
class Loss:
    customer: Customer
    lost_on: date
    reason: str


def grace_days(months: int) -> int:
    return 14 if months <= 1 else 30 if months <= 6 else 90


class Seller:
    def __init__(
        self, book: Book, behaviour: Behaviour, customers: Sequence[Customer], seed: int
    ) -> None:
        self.book = book
        self.behaviour = behaviour
        self.random = random.Random(f"{seed}/contracts")
        self.losses: list[Loss] = []
        self.mid_term = _mid_term_losses(behaviour, customers, seed)

    def days(self, low: int, high: int) -> timedelta:
        return timedelta(days=self.random.randint(low, high))

    def plan(self, customer: Customer) -> Plan:
        """A plan as chance will have it."""
        months, is_auto, link = self.random.choices(
            (
                (1, True, "line"), (1, False, "none"), (3, False, "order"), (6, False, "order"),
                (12, False, "order"), (12, True, "order"), (12, False, "line"),
                (24, False, "order"), (36, False, "order"),
            ),
            weights=(52, 3, 5, 5, 14, 8, 6, 4, 3),
        )[0]  # fmt: skip
        rank = 0 if customer.seats < 16 else 1 if customer.seats < 60 else 2
        rank = max(0, min(2, rank + self.random.choice((-1, 0, 0, 0, 1))))
        addons = ("REPORTS-PLUS",) if rank < 2 and self.random.random() < 0.2 else ()
        product_id = ("FLOW-BASIC", "FLOW-TEAM", "FLOW-ENTERPRISE")[rank]
        return Plan(months, product_id, is_auto, addons, link, customer.seats)

    def trial(self, customer: Customer, day: date, days: int = 14) -> Line:
        order = self.book.order(customer, day, kind="trial", originator="self")
        seats = min(customer.seats, 10)
        end = None if "trial_without_end" in customer.stories else day + timedelta(days=days)
        price = 1900 if "trial_with_price" in customer.stories else 0
        return self.book.line(order, "FLOW-TEAM", day, end, quantity=seats, unit_price=price)

    def sell(
        self,
        customer: Customer,
        closed_on: date,
        start: date,
        plan: Plan,
        *,
        previous: Sequence[Line] = (),
        end: date | None = None,
        originator: str = "sales",
        discount: float = 0.0,
        replaces: bool = False,
    ) -> list[Line]:
        """One order: the version and the add-ons bound to it. `previous` are what it renews.

        With `replaces` (or the plan's link `line`) the lines name the lines they follow, with
        the link `order` the order does, else nothing does.
        """
        by_line = replaces or plan.link == "line"
        by_order = previous and plan.link == "order" and not replaces
        order = self.book.order(
            customer,
            closed_on,
            previous=previous[0].order if by_order else None,
            originator=originator,
        )
        term_end = end or add_months(start, plan.months)
        lines: list[Line] = []
        old = {line.product_id: line for line in previous}
        for product_id in (plan.product_id, *plan.addons):
            followed = previous[0] if previous and not lines else old.get(product_id)
            price = self.price(plan, product_id, closed_on, start, end)
            amount_off = round(plan.seats * price * discount)
            lines.append(
                self.book.line(
                    order,
                    product_id,
                    start,
                    term_end,
                    quantity=plan.seats,
                    unit_price=price,
                    discount=amount_off,
                    coupon="WELCOME20" if discount else None,
                    auto=plan.is_auto,
                    replaces=followed if by_line else None,
                    bound_to=lines[0] if _is_bound(product_id) else None,
                )
            )
        return lines

    def price(self, plan: Plan, product_id: str, day: date, start: date, end: date | None) -> int:
        """Price of one unit for the term; by days where the term is cut to end with another."""
        monthly = list_price(product_id, day) * plan.factor
        if end is not None:
            return round(monthly * 12 * (end - start).days / 365)
        return round(monthly) * plan.months

    def renew(self, lines: list[Line], plan: Plan, mode: str, **how: object) -> list[Line] | None:
        """Renew by a new order in a way of `RENEWALS`; None if that lies after the last day."""
        term = lines[0].terms[-1]
        assert term.effective_end is not None
        closed_on, start = self.closing(term.effective_end, plan.months, mode)
        if closed_on > LAST_DAY:
            return None
        new = self.sell(
            term.customer,
            closed_on,
            start,
            plan,
            previous=lines,
            originator=self.random.choice(("cs", "cs", "sales", "self")),
            **how,  # type: ignore[arg-type]
        )
        words = {"late": "renewed_late", "backdated": "renewed_late", "early": "renewed_early"}
        followers = {line.product_id: line for line in new[1:]}
        for old in lines:
            is_main = old is lines[0]
            follower = new[0] if is_main else followers.get(old.product_id)
            if not old.terms:
                continue
            if follower is not None:
                word = "returned" if mode == "after_grace" else words.get(mode, "renewed_on_time")
                self.book.succeed(old, follower, word)
            elif not old.terms[-1].how:
                old.terms[-1].how, old.terms[-1].outcome_on = "left_out", closed_on
        return new

    def closing(self, due: date, months: int, mode: str) -> tuple[date, date]:
        """When a renewal of that mode is closed, and when it starts."""
        grace = grace_days(months)
        if mode == "early":
            return working_day(due - self.days(10, min(75, months * 15))), due
        if mode == "on_time":
            return due + self.days(0, 5), due
        if mode == "short_gap":
            start = due + self.days(1, 7)
            return start, start
        if mode == "backdated":
            return due + self.days(8, min(grace, 30) - 2), due
        if mode == "late":
            start = due + self.days(9, min(grace, 80) - 2)
            return start, start
        if mode == "after_grace":
            start = due + self.days(grace + 15, grace + 50)
            return start, start
        raise ValueError(f"no such renewal: {mode}")

    def live(
        self, customer: Customer, lines: list[Line], plan: Plan, modes: Sequence[str] = ()
    ) -> None:
        """Let the contract go on until the customer leaves or the last day comes.

        `modes` force the first renewals; while they last the customer does not leave.
        """
        forced = list(modes)
        while True:
            due = lines[0].terms[-1].effective_end
            assert due is not None
            is_free = not customer.is_protected and (not forced or self.behaviour.no_signal)
            if is_free and self._leaves_in_term(customer, lines):
                return
            if is_free and plan.months >= 12 and self.random.random() < 0.18:
                lines, plan = self.enlarge(customer, lines, plan)
            is_told = bool(forced)
            mode = forced.pop(0) if forced else self._mode(plan)
            asked_on = due - timedelta(days=30) if mode == "early" else due
            if asked_on > LAST_DAY:
                return
            chance = self.behaviour.boundary_probability(customer.index, asked_on, plan.months)
            if is_free and self.random.random() < chance:
                if due <= LAST_DAY:
                    self.leave(customer, lines, plan, due)
                return
            renewed = None
            if mode != "auto":
                plan = plan if is_told else self.changed(customer, plan, due)
                renewed = self.renew(lines, plan, mode)
            if mode == "after_grace" and renewed:
                self.losses.append(Loss(customer, due, "budget"))
            if renewed:
                lines = renewed
            elif plan.is_auto and due <= LAST_DAY:  # until a new order comes it goes on by itself
                for line in lines:
                    self.book.extend(line)
            if mode != "auto" and not renewed:
                return  # the new order would be closed after the last day

    def _leaves_in_term(self, customer: Customer, lines: list[Line]) -> bool:
        """Cancel inside the running term if the customer's patience ends in it."""
        term, left_on = lines[0].terms[-1], self.mid_term.get(customer.index)
        if left_on is None or term.effective_end is None:
            return False
        if not max(term.start, term.closed_on) < left_on < term.effective_end:
            return False
        for line in lines:
            if line.terms:
                self.book.cancel(line, left_on)
        self.lose(customer, left_on)
        return True

    def _mode(self, plan: Plan) -> str:
        """A way to renew, as chance will have it."""
        if plan.is_auto:
            return "on_time" if self.random.random() < (0.03, 0.2)[plan.months > 1] else "auto"
        names = list(RENEWALS)
        mode = self.random.choices(names, weights=list(RENEWALS.values()))[0]
        return "on_time" if plan.months == 1 and mode in ("early", "late", "backdated") else mode

    def changed(self, customer: Customer, plan: Plan, day: date) -> Plan:
        """The plan of the next term: more or fewer seats, or as it was."""
        week = self.behaviour.week(day)
        health = float(self.behaviour.level[customer.index, week])
        chance = self.random.random()
        if chance < 0.12 + 0.2 * min(health, 1.2):
            return replace(plan, seats=plan.seats + max(1, round(plan.seats * 0.2)))
        if chance > (0.6 if health < WEAK else 0.93) and plan.seats > 6:
            return replace(plan, seats=round(plan.seats * 0.75))
        return plan

    def enlarge(self, customer: Customer, lines: list[Line], plan: Plan) -> tuple[list[Line], Plan]:
        """More seats inside the term: lines that replace the old ones and end with them."""
        term = lines[0].terms[-1]
        assert term.end is not None
        day = working_day(term.start + self.days(60, 240))
        if day + timedelta(days=80) > term.end or day > LAST_DAY or day <= term.closed_on:
            return lines, plan
        more = replace(plan, seats=plan.seats + max(1, round(plan.seats * 0.25)))
        if more.is_auto:  # an odd first period cannot go on by itself
            more = replace(more, is_auto=False)
        new = self.sell(
            customer, day, day, more, previous=lines, end=term.end, originator="cs", replaces=True
        )
        return new, more

    def leave(self, customer: Customer, lines: list[Line], plan: Plan, due: date) -> None:
        """The customer is lost when due: refused before, cancelled then, or just silent."""
        is_noted = self.random.random() < 0.3
        noted_on = working_day(due - self.days(3, 15))
        for line in lines:
            if not line.terms:
                continue
            if is_noted and noted_on < due and noted_on > line.terms[-1].start:
                self.book.refuse(line, noted_on)
            elif plan.is_auto:
                self.book.cancel(line, due)
            else:
                line.terms[-1].how = "not_renewed"
        self.lose(customer, due)

    def lose(self, customer: Customer, day: date) -> None:
        self.losses.append(Loss(customer, day, self.random.choice(REASONS)))
        back_on = working_day(day + self.days(110, 260))
        if self.random.random() < 0.1 and back_on < LAST_DAY - timedelta(days=20):
            while back_on.day > 28:
                back_on = working_day(back_on + timedelta(days=1))
            plan = self.plan(customer)
            self.mid_term.pop(customer.index, None)
            self.live(customer, self.sell(customer, back_on, back_on, plan), plan)


def _is_bound(product_id: str) -> bool:
    return PRODUCTS[product_id].kind == "addon_bound"


def _mid_term_losses(
    behaviour: Behaviour, customers: Sequence[Customer], seed: int
) -> dict[int, date]:
    """The working day on which each customer leaves inside a term, if it is one by then."""
    random_ = np.random.default_rng([seed, 15])
    patience = random_.exponential(size=len(customers))
    weekday = random_.integers(0, 7, len(customers))
    found: dict[int, date] = {}
    for customer in customers:
        first = behaviour.week(customer.first_day) + 5
        hazard = np.cumsum(behaviour.mid_term[customer.index, first:])
        week = int(np.searchsorted(hazard, patience[customer.index]))
        if week < len(hazard):
            number = 7 * (first + week) + int(weekday[customer.index])
            day = working_day(behaviour.start + timedelta(days=number))
            if day <= LAST_DAY:
                found[customer.index] = day
    return found
