"""The simulator's contract state: orders, lines and the terms that are truly in force.

Every action on a contract (buy, renew, replace, cancel, refund) changes orders and lines, as the
company's systems would, and beside them the terms: what is truly owed from when to when. Truth
is read from the terms; nothing derives them from the files. Money is whole cents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction

from sample_company.catalogue import PRODUCTS
from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, add_months, moment, whole_months, working_day_before


@dataclass(slots=True)
class Order:
    order_id: str
    customer: Customer
    ordered_at: datetime
    kind: str
    status: str
    signed_at: datetime | None
    approved_at: datetime | None
    cancelled_at: datetime | None
    refunded_at: datetime | None
    originator_role: str
    currency: str
    payment_due_on: date | None
    previous_order_id: str | None
    closed_on: date
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """An order line; `amount` = quantity x unit_price - discount, in cents."""

    order_line_id: str
    order: Order
    product_id: str
    quantity: int
    unit_price: int
    discount: int
    coupon_code: str | None
    term_start: date | None
    term_end: date | None
    is_auto_renew: bool
    notice_days: int | None
    non_renewal_noted_at: datetime | None
    cancelled_at: datetime | None
    replaces: Line | None
    bound_to: Line | None
    bound_lines: list[Line] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)

    @property
    def amount(self) -> int:
        return self.quantity * self.unit_price - self.discount


@dataclass(slots=True)
class Subscription:
    subscription_id: str
    customer: Customer
    product_id: str
    booked_at: datetime
    term_start: date
    term_end: date | None
    monthly: int | None
    amount: int | None
    currency: str
    quantity: int
    is_trial: bool
    cancelled_at: datetime | None
    previous_subscription_id: str | None


@dataclass(slots=True)
class Term:
    """What is owed for `[start, effective_end)`; a period of its own where a line goes on.

    `how` says in the simulator's words how the term ended; '' while it runs.
    `gap_until`: the successor starts then, at most seven days later: MRR goes on until there.
    """

    customer: Customer
    product_id: str
    key: str
    period: int
    start: date
    end: date | None
    effective_end: date | None
    amount: int
    monthly: int | None
    currency: str
    quantity: int
    is_trial: bool
    closed_on: date
    how: str = ""
    outcome_on: date | None = None
    successor_key: str | None = None
    gap_until: date | None = None
    noted_on: date | None = None

    @property
    def is_lifetime(self) -> bool:
        return self.end is None

    @property
    def mrr(self) -> Fraction | None:
        """Monthly amount in units of the contract's currency, exact; None where there is none."""
        if self.is_trial:
            return None
        if self.monthly is not None:
            return Fraction(self.monthly, 100)
        if self.end is None:
            return None
        months = whole_months(self.start, self.end)
        if months is not None:
            return Fraction(self.amount, 100 * months)
        return Fraction(self.amount * 365, 100 * 12 * (self.end - self.start).days)

    def covers(self, day: date) -> bool:
        return self.start <= day and (self.effective_end is None or day < self.effective_end)

    def bridges(self, day: date) -> bool:
        """The day lies in the short gap to the successor."""
        if self.gap_until is None or self.effective_end is None:
            return False
        return self.effective_end <= day < self.gap_until


class Book:
    """All contracts. Days are the company's; an action happens in working hours of its day."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.lines: list[Line] = []
        self.subscriptions: list[Subscription] = []
        self.terms: list[Term] = []

    def order(
        self,
        customer: Customer,
        day: date,
        *,
        kind: str = "formal",
        status: str = "approved",
        previous: Order | None = None,
        originator: str = "sales",
    ) -> Order:
        """Write an order on `day`; signed and approved the same day if its status says so."""
        number = len(self.orders)
        is_approved = status == "approved"
        written = working_day_before(day)
        order = Order(
            order_id=f"SO-{number + 1:07d}",
            customer=customer,
            ordered_at=moment(written, 9, number % 60),
            kind=kind,
            status=status,
            signed_at=moment(written, 11, number % 60) if is_approved else None,
            approved_at=moment(day, 14, number % 60) if is_approved else None,
            cancelled_at=None,
            refunded_at=None,
            originator_role=originator,
            currency=customer.currency,
            payment_due_on=day + timedelta(days=30) if kind == "formal" else None,
            previous_order_id=previous.order_id if previous else None,
            closed_on=day,
        )
        self.orders.append(order)
        return order

    def line(
        self,
        order: Order,
        product_id: str,
        start: date | None,
        end: date | None,
        *,
        quantity: int,
        unit_price: int,
        discount: int = 0,
        coupon: str | None = None,
        auto: bool = False,
        replaces: Line | None = None,
        bound_to: Line | None = None,
    ) -> Line:
        """Add a line; an approved line bought by time is a term from then on."""
        line = Line(
            order_line_id=f"{order.order_id}-{len(order.lines) + 1}",
            order=order,
            product_id=product_id,
            quantity=quantity,
            unit_price=unit_price,
            discount=discount,
            coupon_code=coupon,
            term_start=start,
            term_end=end,
            is_auto_renew=auto,
            notice_days=30 if auto else None,
            non_renewal_noted_at=None,
            cancelled_at=None,
            replaces=replaces,
            bound_to=bound_to,
        )
        order.lines.append(line)
        self.lines.append(line)
        if bound_to is not None:
            bound_to.bound_lines.append(line)
        is_by_time = PRODUCTS[product_id].kind not in ("one_time", "usage")
        if is_by_time and start is not None and order.approved_at is not None:
            self._term(line, start, end, order.closed_on)
        if replaces is not None and start is not None:
            self.end(replaces, start, "replaced", order.closed_on, successor=line)
        return line

    def _term(self, line: Line, start: date, end: date | None, closed_on: date) -> Term:
        term = Term(
            customer=line.order.customer,
            product_id=line.product_id,
            key=line.order_line_id,
            period=len(line.terms),
            start=start,
            end=end,
            effective_end=end,
            amount=line.amount,
            monthly=None,
            currency=line.order.currency,
            quantity=line.quantity,
            is_trial=line.order.kind == "trial",
            closed_on=closed_on,
        )
        line.terms.append(term)
        self.terms.append(term)
        return term

    def subscribe(self, subscription: Subscription) -> None:
        """A period of an older billing system: a term as it stands."""
        self.subscriptions.append(subscription)
        term = Term(
            customer=subscription.customer,
            product_id=subscription.product_id,
            key=subscription.subscription_id,
            period=0,
            start=subscription.term_start,
            end=subscription.term_end,
            effective_end=subscription.term_end,
            amount=subscription.amount or 0,
            monthly=subscription.monthly,
            currency=subscription.currency,
            quantity=subscription.quantity,
            is_trial=subscription.is_trial,
            closed_on=subscription.term_start,
        )
        for earlier in reversed(self.terms):
            if earlier.key == subscription.previous_subscription_id:
                earlier.how = "converted" if earlier.is_trial else "renewed_on_time"
                earlier.outcome_on, earlier.successor_key = term.start, term.key
                break
        self.terms.append(term)

    def extend(self, line: Line) -> Term:
        """The line goes on by itself for a period of its own length."""
        last = line.terms[-1]
        assert last.end is not None and line.term_start is not None and line.term_end is not None
        months = whole_months(line.term_start, line.term_end)
        assert months is not None
        last.how, last.outcome_on = "auto_renewed", last.end
        term = self._term(line, last.end, add_months(last.end, months), last.end)
        last.successor_key = term.key
        return term

    def end(
        self, line: Line, day: date, how: str, closed_on: date, successor: Line | None = None
    ) -> None:
        """The line's terms end on `day` at the latest; what had not begun by then is no term."""
        for term in list(line.terms):
            if term.start >= day:
                line.terms.remove(term)
                self.terms.remove(term)
        if not line.terms:
            return
        term = line.terms[-1]
        if term.effective_end is None or day < term.effective_end:
            term.effective_end = day
        term.how, term.outcome_on = how, closed_on
        term.successor_key = successor.order_line_id if successor else None
        for bound in line.bound_lines:  # an add-on ends with the version it is bound to
            self.end(bound, day, how, closed_on)

    def succeed(self, old: Line, new: Line, how: str) -> None:
        """The old line's last term is renewed by the new line, by whatever link or none."""
        term = old.terms[-1]
        assert new.term_start is not None
        term.how, term.outcome_on = how, new.order.closed_on
        term.successor_key = new.order_line_id
        if term.effective_end is not None:
            gap = (new.term_start - term.effective_end).days
            if 0 < gap <= 7 and new.term_start <= LAST_DAY:
                term.gap_until = new.term_start

    def cancel(self, line: Line, day: date) -> None:
        """The customer leaves on `day`, inside the term or at a boundary."""
        line.cancelled_at = moment(day, 10, 15)
        self.end(line, day, "cancelled", day)

    def refuse(self, line: Line, noted_on: date) -> None:
        """The customer says that it will not renew; the running period is the last."""
        line.non_renewal_noted_at = moment(noted_on, 15, 40)
        term = line.terms[-1]
        term.how, term.outcome_on, term.noted_on = "refused", noted_on, noted_on

    def refund(self, order: Order, day: date) -> None:
        order.refunded_at, order.status = moment(day, 16, 5), "refunded"
        for line in order.lines:
            self.end(line, day, "refunded", day)

    def settle(self) -> None:
        """At the last day: a term that is over and that nobody renewed was not renewed."""
        for term in self.terms:
            if not term.how and term.effective_end is not None and term.effective_end <= LAST_DAY:
                term.how = "not_renewed"
