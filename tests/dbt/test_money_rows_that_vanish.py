"""A row that a later full delivery no longer has ends its term on that day, and is not erased."""

from __future__ import annotations

from tests.warehouse import Rows, run_models

SUBSCRIPTIONS: Rows = [
    {
        "subscription_id": subscription_id,
        "customer_id": subscription_id,
        "product_id": "pro",
        "term_start": term_start,
        "term_end": "2025-01-01",
        "mrr": 100,
        "_batch_id": batch_id,
        "_known_at": known_at,
        "_version_at": known_at,
        "_file_name": batch_id,
    }
    for subscription_id, term_start, batch_id, known_at in [
        ("stays", "2024-01-01", "first", "2024-01-01T20:00:00Z"),
        ("gone", "2024-01-01", "first", "2024-01-01T20:00:00Z"),
        ("gone_before_start", "2024-06-01", "first", "2024-01-01T20:00:00Z"),
        ("stays", "2024-01-01", "second", "2024-03-10T20:00:00Z"),
    ]
]
BATCHES: Rows = [
    {
        "batch_id": batch_id,
        "entity": "subscriptions",
        "source": "test",
        "delivery": "full",
        "file_name": batch_id,
        "known_at": known_at,
        "batch_order": order,
        "row_count": 3,
    }
    for order, (batch_id, known_at) in enumerate(
        [("first", "2024-01-01T20:00:00Z"), ("second", "2024-03-10T20:00:00Z")]
    )
]


def test_a_vanished_row_ends_its_term_on_that_day() -> None:
    connection = run_models(
        {"subscriptions": SUBSCRIPTIONS},
        "2024-06-30",
        ["subscription_terms", "renewals", "customer_mrr_monthly"],
        batches=BATCHES,
    )
    terms = connection.execute(
        "select subscription_id, effective_end::varchar, end_reason "
        "from night.main.subscription_terms order by 1"
    ).fetchall()
    assert terms == [("gone", "2024-03-10", "vanished"), ("stays", "2025-01-01", None)]
    outcomes = connection.execute(
        "select customer_id, outcome from night.main.renewals order by 1"
    ).fetchall()
    assert outcomes == [("gone", "churned"), ("stays", "open")]
    months = connection.execute(
        "select month_start::varchar, mrr::int from night.main.customer_mrr_monthly "
        "where customer_id = 'gone' and month_start <= date '2024-03-01' order by 1"
    ).fetchall()
    assert months == [("2024-01-01", 100), ("2024-02-01", 100), ("2024-03-01", 0)]
