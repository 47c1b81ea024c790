"""Leads, opportunities and quotes: how customers came to their first order, and others to none."""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl

from sample_company.company import Company
from sample_company.dates import LAST_DAY, moment, working_day
from sample_company.tables import DATE, FLAG, MONEY, TEXT, TIME, Columns, money, table

COLUMNS: dict[str, Columns] = {
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
}  # fmt: skip


def write_sales(company: Company) -> dict[str, pl.DataFrame]:
    """A lead a customer (and as many that came to nothing), opportunities, quotes."""
    random_ = random.Random(f"{company.seed}/sales")
    staff = company.staff
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in COLUMNS}
    first_formal: dict[str, tuple[str, date, int]] = {}
    for order in company.book.orders:
        if order.kind == "formal" and order.approved_at is not None:
            amount = sum(line.amount for line in order.lines)
            key = order.customer.customer_id
            first_formal.setdefault(key, (order.order_id, order.closed_on, amount))
    sources = ("web", "fair", "referral", "campaign", "partner")
    sellers = [person.employee_id for person in staff.of_role("sales")]
    for customer in company.customers:
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
                closed, stage = None, "offer"
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
    return {name: table(columns, rows[name]) for name, columns in COLUMNS.items()}
