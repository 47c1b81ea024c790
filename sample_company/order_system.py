"""Rows of the order system: the book as it holds it, the payments and the services on it."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import polars as pl

from sample_company.behaviour import Behaviour
from sample_company.catalogue import (
    CALLS_A_DAY,
    ENTITLEMENTS,
    FEATURES,
    PRICE_RISE_ON,
    PRODUCTS,
    WISHES,
    list_price,
)
from sample_company.company import Company
from sample_company.contract_book import Book, Line, Order
from sample_company.dates import LAST_DAY, add_months, is_working, moment, working_day
from sample_company.people import Staff
from sample_company.tables import DATE, FLAG, MONEY, TEXT, TIME, WHOLE, Columns, money, table

AT_RISK = 1.8
Row = tuple[object, ...]
Rows = dict[str, list[Row]]

COLUMNS: dict[str, Columns] = {
    "products": {
        "product_id": TEXT, "name": TEXT, "kind": TEXT, "unit": TEXT, "status": TEXT,
        "closed_on": DATE,
    },
    "product_prices": {
        "product_id": TEXT, "valid_from": DATE, "valid_to": DATE, "price": MONEY,
        "currency": TEXT,
    },
    "feature_entitlements": {
        "product_id": TEXT, "feature": TEXT, "valid_from": DATE, "valid_to": DATE,
    },
    "features": {"feature": TEXT, "is_core": FLAG},
    "orders": {
        "order_id": TEXT, "customer_id": TEXT, "ordered_at": TIME, "kind": TEXT, "status": TEXT,
        "signed_at": TIME, "approved_at": TIME, "approved_by": TEXT, "approver_role": TEXT,
        "cancelled_at": TIME, "refunded_at": TIME, "originator_role": TEXT, "currency": TEXT,
        "payment_due_on": DATE, "previous_order_id": TEXT,
    },
    "order_lines": {
        "order_line_id": TEXT, "order_id": TEXT, "product_id": TEXT, "quantity": WHOLE,
        "unit_price": MONEY, "discount_amount": MONEY, "coupon_code": TEXT, "amount": MONEY,
        "term_start": DATE, "term_end": DATE, "is_auto_renew": FLAG, "notice_days": WHOLE,
        "non_renewal_noted_at": TIME, "cancelled_at": TIME, "replaces_order_line_id": TEXT,
        "bound_to_order_line_id": TEXT,
    },
    "subscriptions": {
        "subscription_id": TEXT, "customer_id": TEXT, "product_id": TEXT, "booked_at": TIME,
        "term_start": DATE, "term_end": DATE, "mrr": MONEY, "amount": MONEY, "currency": TEXT,
        "quantity": WHOLE, "unit": TEXT, "billing_months": WHOLE, "is_trial": FLAG,
        "cancelled_at": TIME, "previous_subscription_id": TEXT,
    },
    "payments": {
        "payment_id": TEXT, "order_id": TEXT, "paid_at": TIME, "amount": MONEY, "kind": TEXT,
        "currency": TEXT,
    },
    "services": {
        "service_id": TEXT, "order_line_id": TEXT, "customer_id": TEXT, "product_id": TEXT,
        "state": TEXT, "starts_on": DATE, "ends_on": DATE, "quantity": WHOLE, "opened_by": TEXT,
        "changed_at": TIME,
    },
    "service_usage": {"service_id": TEXT, "used_on": DATE, "quantity": WHOLE},
    "wallet_entries": {
        "entry_id": TEXT, "customer_id": TEXT, "occurred_at": TIME, "amount": MONEY,
        "currency": TEXT,
    },
}  # fmt: skip


def write_order_system(company: Company) -> dict[str, pl.DataFrame]:
    """All tables of `COLUMNS`."""
    random_ = random.Random(f"{company.seed}/orders")
    rows: Rows = {name: [] for name in COLUMNS}
    _products(rows, company.start)
    _book(rows, company.book, company.staff, random_)
    _payments(rows, company.book, company.behaviour, random_)
    _services(rows, company.book, random_)
    return {name: table(columns, rows[name]) for name, columns in COLUMNS.items()}


def _products(rows: Rows, start: date) -> None:
    begin = start - timedelta(days=365)
    for product in PRODUCTS.values():
        status = "closed" if product.closed_on else "enabled"
        key = product.product_id
        rows["products"].append(
            (key, product.name, product.kind, product.unit, status, product.closed_on)
        )
        old, new = list_price(key, begin), list_price(key, PRICE_RISE_ON)
        until = PRICE_RISE_ON if old != new and begin < PRICE_RISE_ON else None
        rows["product_prices"].append((key, begin, until, money(old), "EUR"))
        if until:
            rows["product_prices"].append((key, until, None, money(new), "EUR"))
        for feature in ENTITLEMENTS.get(key, ()):
            since = max(begin, WISHES.get(feature) or begin)
            rows["feature_entitlements"].append((key, feature, since, None))
    rows["features"] = list(FEATURES.items())


def _book(rows: Rows, book: Book, staff: Staff, random_: random.Random) -> None:
    last_orders = _last_orders(book)
    for order in book.orders:
        stories = order.customer.stories if order.order_id in last_orders else set()
        is_approved = order.approved_at is not None
        role = "sales" if "approved_by_sales" in stories else "finance"
        approver = random_.choice(staff.of_role(role)).employee_id
        earlier = timedelta(days=42 if "slow_approval" in stories else 0)
        rows["orders"].append(
            (
                order.order_id, order.customer.customer_id, order.ordered_at - earlier, order.kind,
                order.status, order.signed_at - earlier if order.signed_at else None,
                order.approved_at, approver if is_approved else None,
                role if is_approved else None,
                order.cancelled_at, order.refunded_at, order.originator_role, order.currency,
                order.payment_due_on, order.previous_order_id,
            )
        )  # fmt: skip
    for line in book.lines:
        rows["order_lines"].append(
            (
                line.order_line_id, line.order.order_id, line.product_id, line.quantity,
                money(line.unit_price), money(line.discount) if line.discount else None,
                line.coupon_code, money(line.amount), line.term_start, line.term_end,
                line.is_auto_renew, line.notice_days, line.non_renewal_noted_at,
                line.cancelled_at, line.replaces.order_line_id if line.replaces else None,
                line.bound_to.order_line_id if line.bound_to else None,
            )
        )  # fmt: skip
    for item in book.subscriptions:
        rows["subscriptions"].append(
            (
                item.subscription_id, item.customer.customer_id, item.product_id, item.booked_at,
                item.term_start, item.term_end,
                None if item.monthly is None else money(item.monthly),
                None if item.amount is None else money(item.amount), item.currency,
                item.quantity, "seat", 1, item.is_trial, item.cancelled_at,
                item.previous_subscription_id,
            )
        )  # fmt: skip


def _last_orders(book: Book) -> set[str]:
    """The last approved order of each customer."""
    formal = [order for order in book.orders if order.kind == "formal" and order.approved_at]
    return set({order.customer.customer_id: order.order_id for order in formal}.values())


def _payments(rows: Rows, book: Book, behaviour: Behaviour, random_: random.Random) -> None:
    """Every period is paid, mostly in time; a customer at risk often pays months late, the last
    order of an `overdue_payment` is not paid at all."""
    payments = rows["payments"]

    def pay(order_id: str, at: object, cents: int, kind: str, currency: str) -> None:
        payments.append((f"Z{len(payments) + 1:07d}", order_id, at, money(cents), kind, currency))

    last_orders = _last_orders(book)
    for order in book.orders:
        amount = sum(line.amount for line in order.lines)
        if order.kind == "trial" or order.approved_at is None or amount <= 0:
            continue
        stories = order.customer.stories
        is_last = order.order_id in last_orders
        if "cancelled_before_start" in stories and order.status == "cancelled":
            continue
        if "overdue_payment" in stories and is_last:
            continue
        periods = max(1, *(len(line.terms) for line in order.lines))
        for number in range(periods):
            due = order.payment_due_on
            if number:
                due = max(line.terms[number].start for line in order.lines if line.terms[number:])
                due += timedelta(days=14)
            assert due is not None
            delay = random_.choice((-12, -6, -3, -1, 0, 2, 9))
            risk = behaviour.risk[order.customer.index, behaviour.week(due)]
            if risk > AT_RISK and random_.random() < 0.4:
                delay = random_.randrange(35, 90)
            paid_on = working_day(due + timedelta(days=delay))
            if paid_on <= LAST_DAY:
                at = moment(paid_on, 12, random_.randrange(60))
                pay(order.order_id, at, amount, "payment", order.currency)
        if order.refunded_at is not None:
            pay(order.order_id, order.refunded_at, amount, "refund", order.currency)
        elif "partial_refund" in stories:
            on = working_day(order.closed_on + timedelta(days=120))
            if on <= LAST_DAY:
                pay(order.order_id, moment(on, 13), round(amount * 0.15), "refund", order.currency)


def _services(rows: Rows, book: Book, random_: random.Random) -> None:
    """A service a line, open as long as its terms; what a fault story does to it comes on top."""
    services = rows["services"]
    last_orders = _last_orders(book)

    def add(line_id: str | None, customer_id: str, *service: object) -> str:
        services.append((f"S{len(services) + 1:07d}", line_id, customer_id, *service))
        return f"S{len(services):07d}"

    by_hand = working_day(LAST_DAY - timedelta(days=45))
    for line in book.lines:
        customer, order = line.order.customer, line.order
        stories = customer.stories
        is_unapproved = order.status == "submitted" and "active_unapproved" in stories
        if line.term_start is None or (order.approved_at is None and not is_unapproved):
            continue
        if "not_opened" in stories and order.order_id in last_orders:
            continue
        start, end, quantity = line.term_start, line.term_end, line.quantity
        is_usage = PRODUCTS[line.product_id].kind == "usage"
        if line.terms:
            end = line.terms[-1].effective_end
        if "extended" in stories and end is not None and end <= LAST_DAY:
            end = add_months(end, 2)
        state, changed_at = _state(order, start, end)
        if not line.terms and not is_usage:
            state, changed_at = "cancelled", order.cancelled_at
        if is_unapproved or (state == "terminated" and "active_cancelled" in stories):
            state, end, changed_at = "active", None, moment(working_day(start), 10)
        if state == "active" and "changed_by_hand" in stories:
            quantity, changed_at = quantity + 10, moment(by_hand, 11)
        service_id = add(
            line.order_line_id, customer.customer_id, line.product_id, state, start, end, quantity,
            "automatic", changed_at,
        )  # fmt: skip
        if is_usage:
            _usage(rows, line, service_id, random_)
        if "opened_by_hand" in stories and order.order_id in last_orders:
            at = moment(by_hand, 11)
            add(None, customer.customer_id, "SIGNATURES", "active", by_hand, None, 5, "manual", at)


def _state(order: Order, start: date, end: date | None) -> tuple[str, datetime | None]:
    """The service's state on the last day, and when it last changed."""
    if start > LAST_DAY:
        return "pending", order.approved_at
    if end is not None and end <= LAST_DAY:
        return "terminated", moment(end, 6)
    return "active", moment(start, 6)


def _usage(rows: Rows, line: Line, service_id: str, random_: random.Random) -> None:
    """Calls on working days, paid from a wallet where the customer has nothing else."""
    assert line.term_start is not None
    customer, day, month_cents = line.order.customer, line.term_start, 0
    has_wallet = "pay_as_you_go" in customer.stories
    wallet = rows["wallet_entries"]

    def book_entry(on: date, cents: int) -> None:
        key = f"W{len(wallet) + 1:06d}"
        amount = money(cents)
        wallet.append((key, customer.customer_id, moment(on, 20), amount, line.order.currency))

    if has_wallet:
        book_entry(day, 200000)
    while day <= LAST_DAY:
        if is_working(day):
            calls = max(0, round(random_.gauss(CALLS_A_DAY, 50)))
            rows["service_usage"].append((service_id, day, calls))
            month_cents += calls * line.unit_price
        if has_wallet and (day + timedelta(days=1)).day == 1:
            book_entry(day, -month_cents)
            if random_.random() < 0.5:
                book_entry(day, 20000 * random_.randint(1, 6))
            month_cents = 0
        day += timedelta(days=1)
