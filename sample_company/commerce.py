"""Rows of the order system and of finance: the book as the systems hold it, and what hangs on it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from sample_company.catalogue import (
    ENTITLEMENTS,
    FEATURES,
    PRICE_RISE_ON,
    PRODUCTS,
    list_price,
)
from sample_company.contract_book import Book, Line
from sample_company.customers import Customer
from sample_company.dates import (
    LAST_DAY,
    add_months,
    first_day,
    is_working,
    moment,
    months_of,
    working_day,
)
from sample_company.people import Staff
from sample_company.tables import DATE, FLAG, MONEY, NUMBER, TEXT, TIME, WHOLE, Columns, money, table

Row = tuple[object, ...]

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
    "leads": {
        "lead_id": TEXT, "created_at": TIME, "source": TEXT, "owner_id": TEXT,
        "converted_customer_id": TEXT, "converted_at": TIME, "status": TEXT,
    },
    "opportunities": {
        "opportunity_id": TEXT, "customer_id": TEXT, "created_at": TIME, "stage": TEXT,
        "amount": MONEY, "currency": TEXT, "owner_id": TEXT, "closed_at": TIME, "is_won": FLAG,
        "lost_reason": TEXT, "forecast_category": TEXT, "order_id": TEXT,
    },
    "quotes": {
        "quote_id": TEXT, "opportunity_id": TEXT, "created_at": TIME, "amount": MONEY,
        "currency": TEXT, "valid_until": DATE,
    },
    "costs": {"month": DATE, "category": TEXT, "amount": MONEY, "currency": TEXT},
    "exchange_rates": {"rate_date": DATE, "currency": TEXT, "rate": NUMBER},
    "adjustments": {
        "adjustment_id": TEXT, "author": TEXT, "reason": TEXT, "dated_on": DATE, "entity": TEXT,
        "entity_key": TEXT, "column": TEXT, "value": TEXT,
    },
    "targets": {"month": DATE, "metric": TEXT, "segment": TEXT, "value": MONEY},
}  # fmt: skip


def write_commerce(
    customers: Sequence[Customer],
    book: Book,
    staff: Staff,
    rates: dict[date, float],
    months: int,
    seed: int,
) -> dict[str, pl.DataFrame]:
    """All tables of `COLUMNS`."""
    random_ = random.Random(f"{seed}/commerce")
    start = first_day(months)
    rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
    _products(rows, start)
    _book(rows, book, staff, random_)
    _payments(rows, book, random_)
    _services(rows, book, random_)
    _sales(rows, customers, book, staff, random_)
    _finance(rows, book, rates, start, len(customers), random_)
    return {name: table(columns, rows[name]) for name, columns in COLUMNS.items()}


def _products(rows: dict[str, list[Row]], start: date) -> None:
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
            rows["feature_entitlements"].append((key, feature, begin, None))
    rows["features"] = list(FEATURES.items())


def _book(rows: dict[str, list[Row]], book: Book, staff: Staff, random_: random.Random) -> None:
    approvers = [person.employee_id for person in staff.of_role("finance")]
    for order in book.orders:
        is_approved = order.approved_at is not None
        rows["orders"].append(
            (
                order.order_id, order.customer.customer_id, order.ordered_at, order.kind,
                order.status, order.signed_at, order.approved_at,
                random_.choice(approvers) if is_approved else None,
                ("sales" if random_.random() < 0.01 else "finance") if is_approved else None,
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


def _payments(rows: dict[str, list[Row]], book: Book, random_: random.Random) -> None:
    """Every period is paid, mostly in time; some not yet, an `overdue_payment` not at all."""
    payments = rows["payments"]

    def pay(order_id: str, at: object, cents: int, kind: str, currency: str) -> None:
        payments.append((f"Z{len(payments) + 1:07d}", order_id, at, money(cents), kind, currency))

    last_order = {order.customer.customer_id: order.order_id for order in book.orders}
    for order in book.orders:
        amount = sum(line.amount for line in order.lines)
        if order.kind == "trial" or order.approved_at is None or amount <= 0:
            continue
        stories = order.customer.stories
        is_last = last_order[order.customer.customer_id] == order.order_id
        if "cancelled_before_start" in stories and order.status == "cancelled":
            continue
        if "overdue_payment" in stories and is_last:
            continue
        if random_.random() < 0.02:
            continue
        periods = max(1, max(len(line.terms) for line in order.lines))
        for number in range(periods):
            due = order.payment_due_on
            if number:
                due = max(line.terms[number].start for line in order.lines if line.terms[number:])
                due += timedelta(days=14)
            assert due is not None
            paid_on = working_day(due + timedelta(days=random_.choice((-12, -6, -3, 0, 2, 15))))
            if paid_on <= LAST_DAY:
                at = moment(paid_on, 12, random_.randrange(60))
                pay(order.order_id, at, amount, "payment", order.currency)
        if order.refunded_at is not None:
            pay(order.order_id, order.refunded_at, amount, "refund", order.currency)
        elif "partial_refund" in stories:
            on = working_day(order.closed_on + timedelta(days=120))
            if on <= LAST_DAY:
                pay(order.order_id, moment(on, 13), round(amount * 0.15), "refund", order.currency)


def _services(rows: dict[str, list[Row]], book: Book, random_: random.Random) -> None:
    """A service a line; a few were opened by hand, run on too long, or are missing."""
    services = rows["services"]
    day_after = LAST_DAY + timedelta(days=1)
    for line in book.lines:
        kind = PRODUCTS[line.product_id].kind
        if line.order.approved_at is None or line.term_start is None:
            continue
        if kind == "usage":
            start, end = line.term_start, None
        elif line.terms:
            start, end = line.terms[0].start, line.terms[-1].effective_end
        else:
            continue
        chance = random_.random()
        if chance < 0.004:
            continue  # paid and not opened
        if 0.004 < chance < 0.01 and end is not None and end < LAST_DAY:
            end = add_months(end, 2)  # runs on without an order
        state = "active"
        if start > LAST_DAY:
            state = "pending"
        elif end is not None and end < day_after:
            state = "terminated"
        changed = moment(working_day(start), 6) if state != "terminated" else None
        if end is not None and state == "terminated":
            changed = moment(end, 6)
        if changed and changed > moment(LAST_DAY, 20):
            changed = line.order.approved_at
        service_id = f"S{len(services) + 1:07d}"
        services.append(
            (
                service_id, line.order_line_id, line.order.customer.customer_id, line.product_id,
                state, start, end, line.quantity, "automatic", changed,
            )
        )  # fmt: skip
        if kind == "usage":
            _usage(rows, line, service_id, random_)
    for number in range(max(2, len(book.lines) // 400)):
        line = random_.choice(book.lines)
        on = working_day(LAST_DAY - timedelta(days=40 + number))
        services.append(
            (
                f"S{len(services) + 1:07d}", None, line.order.customer.customer_id, "SIGNATURES",
                "active", on, None, 5, "manual", moment(on, 11),
            )
        )  # fmt: skip


def _usage(
    rows: dict[str, list[Row]], line: Line, service_id: str, random_: random.Random
) -> None:
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
            calls = max(0, round(random_.gauss(180, 50)))
            rows["service_usage"].append((service_id, day, calls))
            month_cents += calls * line.unit_price
        if has_wallet and (day + timedelta(days=1)).day == 1:
            book_entry(day, -month_cents)
            if random_.random() < 0.5:
                book_entry(day, 20000 * random_.randint(1, 6))
            month_cents = 0
        day += timedelta(days=1)


def _sales(
    rows: dict[str, list[Row]],
    customers: Sequence[Customer],
    book: Book,
    staff: Staff,
    random_: random.Random,
) -> None:
    """A lead a customer (and as many that came to nothing), opportunities, quotes."""
    first_formal: dict[str, tuple[str, date, int]] = {}
    for order in book.orders:
        if order.kind == "formal" and order.approved_at is not None:
            amount = sum(line.amount for line in order.lines)
            key = order.customer.customer_id
            first_formal.setdefault(key, (order.order_id, order.closed_on, amount))
    sources = ("web", "fair", "referral", "campaign", "partner")
    sellers = [person.employee_id for person in staff.of_role("sales")]
    for customer in customers:
        seller = staff.sales_of[customer.customer_id]
        created = working_day(customer.created_on)
        rows["leads"].append(
            (
                f"L{len(rows['leads']) + 1:06d}", moment(created, 9), random_.choice(sources),
                seller, customer.customer_id, moment(created, 15), "converted",
            )
        )  # fmt: skip
        for _ in range(random_.choice((0, 1, 1, 2))):
            on = working_day(created + timedelta(days=random_.randrange(0, 40)))
            status = random_.choice(("lost", "lost", "open"))
            if on <= LAST_DAY:
                rows["leads"].append(
                    (
                        f"L{len(rows['leads']) + 1:06d}", moment(on, 10),
                        random_.choice(sources), random_.choice(sellers), None, None, status,
                    )
                )  # fmt: skip
        won = first_formal.get(customer.customer_id)
        opportunity_id = f"O{customer.index + 1:06d}"
        opened = moment(working_day(created + timedelta(days=5)), 10)
        if won:
            order_id, closed_on, amount = won
            closed, stage = moment(closed_on, 14, 30), "won"
            if closed < opened:
                opened = closed - timedelta(days=3)
        else:
            order_id, amount = None, customer.seats * 28800
            is_lost = random_.random() < 0.6
            closed = moment(working_day(customer.first_day + timedelta(days=30)), 14)
            stage = "lost" if is_lost else "offer"
            if stage == "offer" or closed > moment(LAST_DAY, 20):
                closed, stage = None, "offer"  # type: ignore[assignment]
        if opened > moment(LAST_DAY, 18):
            continue
        rows["opportunities"].append(
            (
                opportunity_id, customer.customer_id, opened, stage, money(amount),
                customer.currency, seller, closed, None if stage == "offer" else stage == "won",
                "price" if stage == "lost" else None,
                {"won": "closed", "lost": "omitted"}.get(stage, "best_case"), order_id,
            )
        )  # fmt: skip
        rows["quotes"].append(
            (
                f"Q{customer.index + 1:06d}", opportunity_id, opened + timedelta(hours=26),
                money(round(amount * 1.05)), customer.currency,
                (opened + timedelta(days=40)).date(),
            )
        )  # fmt: skip


def _finance(
    rows: dict[str, list[Row]],
    book: Book,
    rates: dict[date, float],
    start: date,
    customers: int,
    random_: random.Random,
) -> None:
    shares = {"sales": 55, "marketing": 35, "onboarding": 12, "cs": 30, "support": 22,
              "hosting": 18, "rd": 90}  # fmt: skip
    for number, month in enumerate(months_of(start, LAST_DAY)):
        size = customers * (0.3 + 0.02 * number)
        for category, share in shares.items():
            cents = round(share * 100 * size * random_.uniform(0.9, 1.1))
            rows["costs"].append((month, category, money(cents), "EUR"))
        for metric, value in (("new_arr", 4000), ("mrr", 350 + 12 * number)):
            rows["targets"].append((month, metric, "all", money(round(100 * value * size / 10))))
    rows["exchange_rates"] = [(day, "USD", rate) for day, rate in rates.items()]
    for number, line in enumerate(adjusted_lines(book), start=1):
        rows["adjustments"].append(
            (
                f"A{number:04d}", "finance", "amount typed ten times too high",
                LAST_DAY - timedelta(days=20), "order_lines", line.order_line_id, "amount",
                money(line.amount),
            )
        )  # fmt: skip


def adjusted_lines(book: Book) -> list[Line]:
    """The first paid line of each customer with the story: the file has it ten times too high."""
    return _first_lines(book, "adjusted")


def corrected_lines(book: Book) -> list[Line]:
    """The same for lines wrong in the first file and right in a later one."""
    return _first_lines(book, "corrected")


def _first_lines(book: Book, story: str) -> list[Line]:
    first: dict[str, Line] = {}
    for line in book.lines:
        if story in line.order.customer.stories and line.amount > 0:
            first.setdefault(line.order.customer.customer_id, line)
    return list(first.values())
