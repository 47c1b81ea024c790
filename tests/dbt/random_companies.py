"""Random small companies: rows for every entity of the contract, and news that came later.

Some have a feed that was out for a while, and delivers what it lacks weeks later.

Rows are made from the contract itself, so that a new entity or column takes part at once. Companies
share a warehouse and nothing in it: ids, features, currencies and sources carry their number.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from ingest.contracts import ENTITIES, EVENTS, Column, Entity

Row = dict[str, Any]
Tables = dict[str, list[Row]]

FIRST_DAY = dt.date(2022, 9, 1)
# A Sunday, so that later nights still hold it, and the night on which the news are there.
DAY = dt.date(2024, 3, 31)
LATER = dt.date(2024, 4, 21)
ROW_COUNTS = {EVENTS: 40, "order_lines": 5, "subscriptions": 4, "customers": 3, "tenants": 3}
PLAIN_ROW_COUNT = 3
# Of a company with an outage: as long as it takes to tell what is usual, and to learn from it.
FEED_WEEKS = 26
TENANT_COUNT = 6
# Columns that name a row of another entity, or share their values with each other.
POOLS = {
    "customer_id": "customer",
    "parent_customer_id": "customer",
    "converted_customer_id": "customer",
    "merged_into_customer_id": "customer",
    "source_id": "other",
    "employee_id": "employee",
    "owner_id": "employee",
    "responder_id": "employee",
    "approved_by": "employee",
    "order_id": "order",
    "previous_order_id": "order",
    "order_line_id": "line",
    "replaces_order_line_id": "line",
    "bound_to_order_line_id": "line",
    "previous_subscription_id": "subscription",
    "subscription_id": "subscription",
    "feature": "feature",
}
POOL_SIZES = {"customer": 3, "line": 6, "subscription": 6}
WORDS = {
    "role": ("csm", "sales"),
    "originator_role": ("sales", "cs"),
    "segment": ("small", "large"),
    "event_name": ("login", "used"),
    "step": ("kickoff", "go_live"),
    "unit": ("seat", "gigabyte"),
    "kind": ("check_in", "renewal_talk", "training"),
    "tier": ("growth", "enterprise"),
}
ADJUSTED = (
    ("orders", "approved_at", "2023-05-01T00:00:00Z"),
    ("order_lines", "amount", "123"),
    ("order_lines", "cancelled_at", "2023-08-01T00:00:00Z"),
    ("subscriptions", "mrr", "77"),
    ("subscriptions", "term_end", "2023-12-01"),
)
# Rarely filled: each of them ends or hides its row.
SELDOM = {
    *("cancelled_at", "refunded_at", "left_on", "non_renewal_noted_at", "vanished_at"),
    *("parent_customer_id", "merged_into_customer_id", "replaces_order_line_id", "is_trial"),
    *("bound_to_order_line_id", "previous_order_id", "is_business_closed", "deactivated_at"),
}


class Company:
    """One company: its rows as landed by DAY, and how later news of it could look."""

    def __init__(self, number: int, seed: int) -> None:
        self.number = number
        self.random = random.Random(seed)
        self.rows: Tables = {entity: self._rows_of(ENTITIES[entity]) for entity in ENTITIES}

    def batches(self) -> list[Row]:
        """The first load of every entity, known by DAY."""
        return [self._batch(entity, "first", "1990-01-01T00:00:00Z", 1) for entity in ENTITIES]

    def learn(self, entity: str, how: str, chance: random.Random) -> tuple[list[Row], Row]:
        """News that became known after DAY: rows of the entity and their batch.

        `how`: a new row (`inserted`), another version of a row (`changed`), or a full delivery in
        which rows are missing (`deleted`).
        """
        self.random = chance
        known_at = _moment(DAY + dt.timedelta(days=chance.randint(1, (LATER - DAY).days)))
        told = self.rows[entity]
        if how == "inserted" or not told or entity == EVENTS:
            rows = [self._row(ENTITIES[entity], 100 + chance.randrange(900), LATER)]
        elif how == "changed":
            rows = [self._changed(ENTITIES[entity], chance.choice(told))]
        else:
            rows = [dict(row) for row in told if chance.random() < 0.5]
        batch = self._batch(entity, "late", known_at, 9, is_full=how == "deleted")
        news = {"_known_at": known_at, "_version_at": known_at, "_batch_id": batch["batch_id"]}
        return [row | news | {"_file_name": "late.csv"} for row in rows], batch

    def merge(self, chance: random.Random, is_early: bool) -> tuple[list[Row], Row]:
        """News that one customer is another one, known after DAY, or as soon as the customer was.

        The same two customers for the same chance.
        """
        merged, into = chance.sample(self.rows["customers"], 2)
        told_at = _moment(DAY + dt.timedelta(days=chance.randint(1, (LATER - DAY).days)))
        batch = self._batch("customers", "late", told_at, 9)
        news = {
            "merged_into_customer_id": into["customer_id"],
            "_known_at": merged["_known_at"] if is_early else told_at,
            "_version_at": told_at,
            "_batch_id": batch["batch_id"],
            "_file_name": "late.csv",
        }
        return [merged | news], batch

    def _rows_of(self, entity: Entity) -> list[Row]:
        rows = []
        for place in range(ROW_COUNTS.get(entity.name, PLAIN_ROW_COUNT)):
            row = self._row(entity, place, DAY)
            happened = row.get(entity.business_time or "") or _moment(FIRST_DAY)
            learnt = self.random.choice((0, 0, 0, 20, 90))
            known_on = min(dt.date.fromisoformat(happened[:10]) + dt.timedelta(days=learnt), DAY)
            batch = f"{entity.name}-{self.number}-first"
            rows.append(row | {"_known_at": _moment(known_on, 12), "_batch_id": batch})
        keys = {tuple(row.get(name) for name in entity.key): row for row in rows}
        return list(keys.values()) if entity.key else rows

    def _row(self, entity: Entity, place: int, until: dt.date) -> Row:
        row = {"_source": f"source-{self.number}"}
        for column in entity.columns:
            is_needed = column.is_required or column.name == entity.business_time
            is_needed = is_needed or any(column.name in group for group in entity.any_of)
            chance = 0.15 if column.name in SELDOM else 0.6
            if is_needed or self.random.random() < chance:
                row[column.name] = self._value(entity, column, place, until)
        if entity.name == "adjustments":
            self._aim(row)
        for start, end in entity.ordered:
            self._put_in_order(row, start, end)
        if entity.name == "customers" and row.get("merged_into_customer_id"):
            row.pop("merged_into_customer_id")
        return row

    def _changed(self, entity: Entity, row: Row) -> Row:
        """The row with about half of its other columns told anew."""
        other = self._row(entity, 0, LATER)
        free = [c.name for c in entity.columns if c.name not in entity.key]
        changed = {name: other.get(name) for name in free if self.random.random() < 0.5}
        merged = {k: v for k, v in (row | changed).items() if v is not None}
        for start, end in entity.ordered:
            self._put_in_order(merged, start, end)
        return merged

    def _value(self, entity: Entity, column: Column, place: int, until: dt.date) -> Any:
        name = column.name
        if column.allowed:
            return self.random.choice(column.allowed)
        if (name,) == entity.key and name != "feature":
            pool = POOLS.get(name, entity.name)
            return f"{pool}-{self.number}-{place}"
        if name in POOLS or name.endswith("_id"):
            pool = POOLS.get(name) or next(
                (e.name for e in ENTITIES.values() if e.key == (name,)), name
            )
            size = POOL_SIZES.get(pool, PLAIN_ROW_COUNT)
            return f"{pool}-{self.number}-{self.random.randrange(size)}"
        if name == "currency":
            foreign = f"X{self.number}"
            is_rate = entity.name == "exchange_rates"
            return foreign if is_rate else self.random.choice(("EUR", "EUR", foreign))
        return self._plain_value(column, until)

    def _plain_value(self, column: Column, until: dt.date) -> Any:
        chance, name = self.random, column.name
        if column.type == "string":
            return chance.choice(WORDS.get(name, ("one", "two", "three")))
        if column.type == "boolean":
            return chance.random() < 0.5
        if column.type == "integer":
            return chance.randint(0, 5)
        if column.type == "decimal":
            return chance.choice((0.5, 1, 4, 9, 30, 120))
        # Terms and dates may lie ahead, what happened may not.
        ahead = 200 if column.type == "date" else 0
        day = FIRST_DAY + dt.timedelta(days=chance.randint(0, (until - FIRST_DAY).days + ahead))
        return str(day) if column.type == "date" else _moment(day, chance.randint(0, 23))

    def _put_in_order(self, row: Row, start: str, end: str) -> None:
        if row.get(start) and row.get(end):
            days = self.random.choice((30, 31, 90, 365, 365))
            begun = dt.date.fromisoformat(row[start][:10])
            row[end] = str(begun + dt.timedelta(days=days))

    def _aim(self, row: Row) -> None:
        """An adjustment that meets a row, more often than not."""
        entity, column, value = self.random.choice(ADJUSTED)
        pool = POOLS.get(ENTITIES[entity].key[0], entity)
        key = f"{pool}-{self.number}-{self.random.randrange(3)}"
        row |= {"entity": entity, "entity_key": key, "column": column, "value": value}

    def _batch(
        self, entity: str, name: str, known_at: str, order: int, is_full: bool = False
    ) -> Row:
        return {
            "batch_id": f"{entity}-{self.number}-{name}",
            "entity": entity,
            "source": f"source-{self.number}",
            "delivery": "full" if is_full else "changes",
            "file_name": f"{name}.csv",
            "known_at": known_at,
            "batch_order": order,
            "row_count": 1,
            "is_first_load": name == "first",
        }


class CompanyWithOutage(Company):
    """Its tenants work every day, but for some days their feed is out: what it lacks comes later.

    What came by DAY is in its rows, the rest is news (`late`).
    """

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(number, seed)
        tenants = [f"tenant-{number}-{place}" for place in range(TENANT_COUNT)]
        first, *_ = self.rows["tenants"]
        for tenant in tenants:
            customer = f"customer-{number}-{self.random.randrange(POOL_SIZES['customer'])}"
            owned = {"tenant_id": tenant, "customer_id": customer, "_known_at": _moment(FIRST_DAY)}
            self.rows["tenants"].append(first | owned)
        outages = self._choose_outages()
        self.held_back: list[Row] = []
        for days_ago in range(7 * FEED_WEEKS):
            day = DAY - dt.timedelta(days=days_ago)
            for tenant in tenants if day.weekday() < 5 else ():
                for user in range(self.random.randint(1, 3)):
                    self._use(tenant, f"user-{tenant}-{user}", day, outages.get(day))

    def learn(self, entity: str, how: str, chance: random.Random) -> tuple[list[Row], Row]:
        """As other companies do; `late`: what an outage held back until after DAY."""
        if how != "late":
            return super().learn(entity, how, chance)
        known_at = _moment(DAY + dt.timedelta(days=chance.randint(1, (LATER - DAY).days)))
        batch = self._batch(entity, "late", known_at, 9)
        news = {"_known_at": known_at, "_version_at": known_at, "_batch_id": batch["batch_id"]}
        return [row | news for row in self.held_back], batch

    def _choose_outages(self) -> dict[dt.date, dt.date]:
        """The days of one to three outages, of two days to three weeks, and when each is over."""
        days: dict[dt.date, dt.date] = {}
        for weeks_ago in self.random.sample(range(1, FEED_WEEKS - 9), self.random.randint(1, 3)):
            start = DAY - dt.timedelta(days=7 * weeks_ago + self.random.randint(0, 4))
            length = self.random.choice((2, 4, 7, 12, 21))
            told_on = self.random.choice((start + dt.timedelta(days=30), LATER, LATER))
            days |= {start + dt.timedelta(days=place): told_on for place in range(length)}
        return days

    def _use(self, tenant: str, user: str, day: dt.date, lacking_until: dt.date | None) -> None:
        row = {
            "_source": f"source-{self.number}",
            "_batch_id": f"{EVENTS}-{self.number}-first",
            "occurred_at": _moment(day, 12),
            "tenant_id": tenant,
            "user_id": user,
            "event_name": "used",
            "feature": f"feature-{self.number}-{self.random.randrange(PLAIN_ROW_COUNT)}",
        }
        is_lacking = lacking_until is not None and self.random.random() < 0.85
        known_on = max(day, lacking_until) if lacking_until and is_lacking else day
        if known_on > DAY:
            self.held_back.append(row)
        else:
            self.rows[EVENTS].append(row | {"_known_at": _moment(known_on, 13)})


def _moment(day: dt.date, hour: int = 0) -> str:
    return f"{day}T{hour:02d}:00:00+00:00"
