"""The users of every customer: in which tenants, how eager, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sample_company.company import Company
from sample_company.dates import LAST_DAY, moment
from sample_company.tables import TEXT, TIME, table

Ints = NDArray[np.int64]

TENANT_KNOWN = LAST_DAY - timedelta(days=5)
SEAT_USE = 0.75  # of the seats, on average, have a user
MOST_USERS = 700


@dataclass(frozen=True)
class Population:
    """All users: whose, in which tenant, how eager, from which day to which (of the span).

    Who works in two tenants of a customer has `other_tenant`; who works for two customers stands
    here twice, under one id. `is_unknown`: tenants that no file assigns to a customer.
    """

    user_ids: list[str]
    tenant_ids: list[str]
    is_unknown: NDArray[np.bool_]
    customer: Ints
    tenant: Ints
    other_tenant: Ints
    eagerness: NDArray[np.float32]
    first: Ints
    last: Ints
    has_no_value: NDArray[np.bool_]


def populate(company: Company, users: int | None = None) -> Population:
    """Users of every customer: most from its first day, the others over the year that follows.

    About as many as are asked for, whatever seats were bought; None lets the seats decide.
    """
    random = np.random.default_rng([company.seed, 21])
    customers, start = company.customers, company.start
    by_id = {customer.customer_id: customer.index for customer in customers}
    tenant_ids: list[str] = []
    owner: list[int] = []
    tenant, other, first = [], [], []
    shared: dict[int, int] = {}
    seats = sum(customer.seats for customer in customers)
    scale, most = (users / (SEAT_USE * seats), users) if users else (1.0, MOST_USERS)
    for customer in customers:
        index = customer.index
        count = round(customer.seats * scale * random.uniform(SEAT_USE - 0.2, SEAT_USE + 0.2))
        count = max(3, min(most, count))
        if customer.merged_into_customer_id:
            count, index = 6, by_id[customer.merged_into_customer_id]
        began = (customers[index].first_day - start).days
        base = len(tenant_ids)
        tenant_ids += customer.tenant_ids
        if "shared_user" in customer.stories:
            shared[len(owner)] = 0
        for number in range(count):
            tenants = len(customer.tenant_ids)
            owner.append(index)
            tenant.append(base + number % tenants)
            other.append(base + (number + (number % 3 == 0)) % tenants)
            first.append(began + (0 if number * 4 < count * 3 else int(random.integers(5, 400))))
    eagerness = np.clip(random.gamma(6, 1 / 6, len(owner)), 0.2, 2.0).astype(np.float32)
    last = np.where(random.random(len(owner)) < 0.04, random.integers(200, 2000, len(owner)), 9999)
    no_value = np.array(["used_without_value" in c.stories for c in customers])
    unknown = {c.tenant_ids[-1] for c in customers if "tenant_unknown" in c.stories}
    return Population(
        user_ids=[f"u{shared.get(number, number) + 1:07d}" for number in range(len(owner))],
        tenant_ids=tenant_ids,
        is_unknown=np.array([tenant_id in unknown for tenant_id in tenant_ids]),
        customer=np.array(owner),
        tenant=np.array(tenant),
        other_tenant=np.array(other),
        eagerness=eagerness,
        first=np.array(first),
        last=np.array(first) + last,
        has_no_value=no_value[np.array(owner)],
    )


def user_tables(company: Company, population: Population) -> dict[str, pl.DataFrame]:
    """`tenants` and `product_users`; users made after the last day are not there yet.

    `_created` of a tenant is the day the CRM learns of it: for a `tenant_late` years too late.
    """
    unknown = set(np.array(population.tenant_ids)[population.is_unknown])
    tenants = table(
        {"tenant_id": TEXT, "customer_id": TEXT, "_created": TIME},
        [
            (tenant, c.customer_id, moment(TENANT_KNOWN if is_late else c.created_on, 12))
            for c in company.customers
            for number, tenant in enumerate(c.tenant_ids)
            if tenant not in unknown
            for is_late in ["tenant_late" in c.stories and number > 0]
        ],
    )
    rows, seen = [], set()
    for number, user_id in enumerate(population.user_ids):
        if user_id in seen:
            continue
        seen.add(user_id)
        made = company.start + timedelta(days=int(population.first[number]))
        gone = company.start + timedelta(days=int(population.last[number]))
        if made <= LAST_DAY:
            rows.append(
                (
                    user_id,
                    population.tenant_ids[population.tenant[number]],
                    moment(made - timedelta(days=1), 12),
                    moment(gone, 12) if gone <= LAST_DAY else None,
                )
            )
    columns = {"user_id": TEXT, "tenant_id": TEXT, "created_at": TIME, "deactivated_at": TIME}
    return {"tenants": tenants, "product_users": table(columns, rows)}
