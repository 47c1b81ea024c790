"""Retention of groups: who belongs to which, and who has returned."""

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


def test_a_group_counts_all_below_its_top_and_nobody_counts_twice():
    parents = {"a": "b", "b": "c", "c": "d", "d": "e", "x": "y", "y": "x", "self": "self"}
    mrr = {"a": 100, "b": 100, "c": 100, "d": 100, "e": 100, "x": 10, "y": 10, "self": 1}
    connection = run_models(
        {
            "customers": [
                {
                    "customer_id": customer_id,
                    "created_at": "2023-12-01T09:00:00Z",
                    "parent_customer_id": parents.get(customer_id),
                }
                for customer_id in mrr
            ],
            "subscriptions": [
                {
                    "subscription_id": f"s-{customer_id}",
                    "customer_id": customer_id,
                    "product_id": "pro",
                    "term_start": "2024-01-01",
                    "term_end": "2025-01-01",
                    "mrr": amount,
                }
                for customer_id, amount in mrr.items()
            ],
        },
        "2024-02-29",
        ["retention_monthly"],
    )
    found = connection.execute(
        """
        select level, customer_count, opening_mrr from night.main.retention_monthly
        where segment_by = 'all' order by level
        """
    ).fetchall()
    # Five accounts are one group; who is in a circle stands for itself.
    assert found == [("account", 8, 521), ("parent", 4, 521)]


def test_of_two_owners_since_one_day_every_table_names_the_same():
    customers = [{"customer_id": "one"}, {"customer_id": "two", "merged_into_customer_id": "one"}]
    connection = run_models(
        {
            "customers": [row | {"created_at": "2023-12-01T09:00:00Z"} for row in customers],
            "ownerships": [
                {"customer_id": customer_id, "employee_id": employee_id, "role": "csm"}
                | {"valid_from": "2023-12-01"}
                for customer_id, employee_id in [("one", "e2"), ("two", "e1")]
            ],
            "subscriptions": [
                {"subscription_id": "s1", "customer_id": "one", "product_id": "pro", "mrr": 100}
                | {"term_start": "2024-01-01", "term_end": "2024-04-01"}
            ],
        },
        "2024-02-29",
        ["retention_monthly", "renewals", "customer_history", "customer_team"],
    )
    found = connection.execute(
        """
        select segment from night.main.retention_monthly where segment_by = 'csm'
        union all select renewal_owner_id from night.main.renewals
        union all select csm_id from night.main.customer_history where valid_to is null
        union all select employee_id from night.main.customer_team
        """
    ).fetchall()
    assert set(found) == {("e1",)} and len(found) == 5


def test_who_was_away_for_longer_than_the_grace_within_one_month_has_returned():
    days = {"away": "2024-03-17", "late": "2024-03-16"}
    connection = run_models(
        {
            "subscriptions": [
                {"subscription_id": f"{customer_id}-{start}", "customer_id": customer_id}
                | {"product_id": "pro", "term_start": start, "term_end": end, "mrr": 100}
                for customer_id, day in days.items()
                for start, end in [("2024-02-02", "2024-03-02"), (day, "2025-03-17")]
            ]
        },
        "2024-03-31",
        ["retention_customers_monthly"],
    )
    found = connection.execute(
        """
        select customer_id, retained_mrr, has_returned
        from night.main.retention_customers_monthly order by customer_id
        """
    ).fetchall()
    assert found == [("away", 100, True), ("late", 100, False)]
