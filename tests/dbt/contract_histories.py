"""Random but repeatable contract histories: orders, lines, subscriptions, rates, with late news."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
FIRST_DAY = dt.date(2022, 1, 1)
LAST_DAY = dt.date(2024, 12, 31)
FIRST_FRANC = dt.date(2023, 6, 20)
WITH_FRANCS = ("EUR", "EUR", "USD", "CHF")
PRODUCTS: list[Row] = [
    {"product_id": "basic", "name": "Basic", "kind": "version", "unit": "seat"},
    {"product_id": "pro", "name": "Pro", "kind": "version", "unit": "seat"},
    {"product_id": "reports", "name": "Reports", "kind": "addon_bound", "unit": "seat"},
    {"product_id": "storage", "name": "Storage", "kind": "addon_independent", "unit": "gigabyte"},
    {"product_id": "setup", "name": "Setup", "kind": "one_time"},
]


def moment(day: dt.date, hour: int = 10) -> str:
    return f"{day}T{hour:02d}:00:00+00:00"


def add_months(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (dt.date(year + (month == 11), (month + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(day.day, last))


class History:
    """Rows per entity as files would bring them; an update is a second version of its row.

    The euro is the company's; dollars have rates from the first day on, francs from FIRST_FRANC.
    `taken_back`: the share of changes after which the row is told as it was, days to months later.
    """

    def __init__(
        self,
        seed: int,
        customers: int = 12,
        currencies: Sequence[str] = ("EUR", "EUR", "USD"),
        taken_back: float = 0.0,
    ) -> None:
        self.random = random.Random(seed)
        self.currencies = currencies
        self.taken_back = taken_back
        self.rows: dict[str, list[Row]] = {
            "products": [row | {"_known_at": moment(FIRST_DAY)} for row in PRODUCTS],
            "orders": [],
            "order_lines": [],
            "subscriptions": [],
            "exchange_rates": [],
            "payments": [],
        }
        if "CHF" in currencies:
            franc = {"rate_date": str(FIRST_FRANC), "currency": "CHF", "rate": 1.05}
            self.rows["exchange_rates"].append(franc)
        day = FIRST_DAY
        while day <= LAST_DAY:
            rate = round(0.9 + self.random.random() / 10, 4)
            self.rows["exchange_rates"].append(
                {"rate_date": str(day), "currency": "USD", "rate": rate}
            )
            day += dt.timedelta(days=self.random.choice((3, 7)))
        for number in range(customers):
            if self.random.random() < 0.3:
                self.subscribe(f"c{number}")
            else:
                self.buy(f"c{number}")

    def days(self, low: int, high: int) -> dt.timedelta:
        return dt.timedelta(days=self.random.randint(low, high))

    def subscribe(self, customer_id: str) -> None:
        start = FIRST_DAY + self.days(0, 500)
        previous: str | None = None
        for number in range(self.random.randint(1, 14)):
            months = self.random.choice((1, 1, 1, 6, 12))
            row: Row = {
                "subscription_id": f"{customer_id}-{number}",
                "customer_id": customer_id,
                "product_id": self.random.choice(("pro", "pro", "basic")),
                "term_start": str(start),
                "term_end": str(add_months(start, months)),
                "mrr": self.random.randint(5, 20) * 10,
                "currency": self.random.choice(self.currencies),
                "_known_at": moment(start + self.days(0, 2), 0),
            }
            if previous and self.random.random() < 0.3:
                row["previous_subscription_id"] = previous
            self.add("subscriptions", row, start)
            previous = row["subscription_id"]
            start = add_months(start, months) + self.gap()
            if start > LAST_DAY:
                break

    def gap(self) -> dt.timedelta:
        return self.days(*self.random.choice(((0, 0), (0, 0), (1, 7), (8, 40), (-20, -1))))

    def buy(self, customer_id: str) -> None:
        start = FIRST_DAY + self.days(0, 500)
        old: str | None = None
        currency = self.random.choice(self.currencies)
        for number in range(self.random.randint(1, 6)):
            closed = start - self.days(-10, 40)
            months = self.random.choice((1, 3, 12, 12, 24))
            order_id = f"{customer_id}-{number}"
            link = self.random.choice(("none", "order", "line")) if old else "none"
            order: Row = {
                "order_id": order_id,
                "customer_id": customer_id,
                "ordered_at": moment(closed, 8),
                "kind": "trial" if self.random.random() < 0.1 else "formal",
                "status": "approved",
                "approved_at": moment(closed, 9),
                "currency": currency,
                "payment_due_on": str(closed + dt.timedelta(days=30)),
                "_known_at": moment(closed, 9),
            }
            if link == "order":
                order["previous_order_id"] = old
            self.add("orders", order, start, ("cancelled_at", "refunded_at"), 0.08)
            is_auto = self.random.random() < 0.3
            for line_no, product_id in enumerate(self.products()):
                line: Row = {
                    "order_line_id": f"{order_id}-{line_no}",
                    "order_id": order_id,
                    "product_id": product_id,
                    "quantity": self.random.randint(1, 9),
                    "unit_price": 100,
                    "amount": self.random.randint(1, 9) * 100,
                    "term_start": str(start),
                    "term_end": str(add_months(start, months)),
                    "is_auto_renew": is_auto,
                    "_known_at": moment(closed, 9),
                }
                if product_id == "setup":
                    del line["term_start"], line["term_end"]
                if product_id == "reports":
                    line["bound_to_order_line_id"] = f"{order_id}-0"
                if link == "line" and line_no == 0:
                    line["replaces_order_line_id"] = f"{old}-0"
                self.add("order_lines", line, start, ("cancelled_at", "non_renewal_noted_at"))
            if self.random.random() < 0.7:
                self.rows["payments"].append(
                    {
                        "payment_id": order_id,
                        "order_id": order_id,
                        "paid_at": moment(closed + self.days(5, 80)),
                        "amount": 500,
                        "kind": "payment",
                    }
                )
            old, start = order_id, add_months(start, months) + self.gap()
            if self.random.random() < 0.15:
                start -= self.days(20, 60)
            if start > LAST_DAY:
                break

    def products(self) -> list[str]:
        others = [name for name in ("reports", "storage", "setup") if self.random.random() < 0.3]
        return [self.random.choice(("basic", "pro", "pro")), *others]

    def add(
        self,
        entity: str,
        row: Row,
        start: dt.date,
        endings: tuple[str, ...] = ("cancelled_at",),
        chance: float = 0.15,
    ) -> None:
        """Add a row, and perhaps a later version of it that ends it or corrects its amount."""
        self.rows[entity].append(row | {"_version_at": row["_known_at"]})
        later = start + self.days(-10, 200)
        change: Row = {}
        if self.random.random() < chance:
            change[self.random.choice(endings)] = moment(later)
        elif self.random.random() < 0.05 and "amount" in row:
            change["amount"] = row["amount"] + 50
        known_at = moment(later + self.days(0, 5), 12)
        if change and known_at > row["_known_at"]:
            self.rows[entity].append(
                row | change | {"_known_at": known_at, "_version_at": known_at}
            )
            if self.taken_back and self.random.random() < self.taken_back:
                known_at = moment(later + self.days(6, 200), 12)
                self.rows[entity].append(row | {"_known_at": known_at, "_version_at": known_at})

    def known_by(self, day: dt.date) -> dict[str, list[Row]]:
        """The rows a night of that day would have landed."""
        return {
            entity: [row for row in rows if row.get("_known_at", "0")[:10] <= str(day)]
            for entity, rows in self.rows.items()
        }
