"""Retention of groups: who has returned."""

from __future__ import annotations

from decimal import Decimal

from tests.warehouse import run_models

PARENTS = {"stays": "holding", "returns": "holding", "alone": "lonely"}
TERMS = [
    ("stays", "2024-01-01", "2025-01-01", 100),
    ("returns", "2024-01-01", "2024-02-01", 100),
    ("returns", "2024-04-01", "2025-04-01", 80),
    ("alone", "2024-01-01", "2024-02-01", 100),
    ("alone", "2024-04-01", "2025-04-01", 80),
]


def test_a_group_has_returned_only_where_all_of_it_had_left():
    connection = run_models(
        {
            "customers": [
                {
                    "customer_id": customer_id,
                    "created_at": "2023-12-01T09:00:00Z",
                    "parent_customer_id": parent_id,
                }
                for customer_id, parent_id in PARENTS.items()
            ],
            "subscriptions": [
                {
                    "subscription_id": f"s{number}",
                    "customer_id": customer_id,
                    "product_id": "pro",
                    "term_start": start,
                    "term_end": end,
                    "mrr": mrr,
                }
                for number, (customer_id, start, end, mrr) in enumerate(TERMS)
            ],
        },
        "2024-04-30",
        ["retention_monthly"],
    )
    found = connection.execute(
        """
        select level, opening_mrr, closing_mrr, nrr_excluding_returns
        from night.main.retention_monthly
        where window_months = 3 and segment_by = 'all'
        order by level
        """
    ).fetchall()
    # Of 260 at the end 160 came back to accounts, but only the 80 of a group that had gone.
    third = Decimal("0.3333333333")
    assert found == [("account", 300, 260, third), ("parent", 300, 260, Decimal("0.6"))]
