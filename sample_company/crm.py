"""The accounts of the CRM, and the ids other systems know them by."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, moment, working_day, working_day_before
from sample_company.tables import DATE, FLAG, TEXT, TIME, WHOLE, table

GOALS = ("faster approvals", "less paper", "audit trail", "shorter sales cycle")


def accounts(customers: Sequence[Customer], seed: int) -> pl.DataFrame:
    """All accounts; `newsletter` and `erp_group` are columns no contract knows: attributes."""
    random_ = random.Random(f"{seed}/accounts")
    columns = {
        "customer_id": TEXT, "name": TEXT, "created_at": TIME, "industry": TEXT, "region": TEXT,
        "country": TEXT, "employee_count": WHOLE, "segment": TEXT, "parent_customer_id": TEXT,
        "merged_into_customer_id": TEXT, "legal_id": TEXT, "domain": TEXT, "fit_pct": WHOLE,
        "fit_with_roadmap_pct": WHOLE, "is_business_closed": FLAG, "is_reference": FLAG,
        "goal": TEXT, "goal_status": TEXT, "goal_verified_on": DATE, "newsletter": TEXT,
        "erp_group": WHOLE,
    }  # fmt: skip
    rows = []
    for customer in customers:
        has_goal = random_.random() < 0.6
        verified = working_day_before(LAST_DAY - timedelta(days=random_.randrange(20, 200)))
        rows.append(
            (
                customer.customer_id, customer.name, moment(working_day(customer.created_on), 9),
                customer.industry if random_.random() < 0.97 else None, customer.region,
                customer.country.lower(), customer.employee_count, customer.segment,
                customer.parent_customer_id, customer.merged_into_customer_id, customer.legal_id,
                customer.domain, customer.fit_pct, customer.fit_with_roadmap_pct,
                customer.closed_on is not None, random_.random() < 0.04,
                random_.choice(GOALS) if has_goal else None,
                random_.choice(("open", "on_track", "reached")) if has_goal else None,
                verified if has_goal else None, random_.choice(("yes", "no")),
                random_.randrange(1, 6),
            )
        )  # fmt: skip
    return table(columns, rows)


def other_ids(customers: Sequence[Customer]) -> pl.DataFrame:
    """Ids of the older billing system, which no file uses any more."""
    rows = [
        ("legacy_billing", f"LB{customer.index + 1:05d}", customer.customer_id)
        for customer in customers
        if "legacy_subscription" in customer.stories
    ]
    return table({"source": TEXT, "source_id": TEXT, "customer_id": TEXT}, rows)
