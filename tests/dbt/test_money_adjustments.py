"""An adjustment holds from when it was known until it is changed or withdrawn; history stays."""

from __future__ import annotations

from tests.warehouse import Rows, run_models

LINES: Rows = [
    {
        "order_line_id": "L1",
        "order_id": "O1",
        "product_id": "pro",
        "quantity": 1,
        "unit_price": 1,
        "amount": 12000,
        "term_start": "2025-01-01",
        "term_end": "2026-01-01",
        "_known_at": "2025-01-01T10:00:00Z",
    }
]


def adjustment(amount: str, known_on: str, batch_id: str, **more: str) -> dict[str, str]:
    return {
        "adjustment_id": "A1",
        "author": "finance",
        "reason": "a zero too many",
        "dated_on": "2025-02-01",
        "entity": "order_lines",
        "entity_key": "L1",
        "column": "amount",
        "value": amount,
        "_batch_id": batch_id,
        "_known_at": f"{known_on}T20:00:00Z",
        "_version_at": f"{known_on}T20:00:00Z",
        "_file_name": batch_id,
        **more,
    }


def full_batches(*days: str) -> Rows:
    return [
        {
            "batch_id": day,
            "entity": "adjustments",
            "source": "test",
            "delivery": "full",
            "file_name": day,
            "known_at": f"{day}T20:00:00Z",
            "batch_order": order,
            "row_count": 1,
        }
        for order, day in enumerate(days)
    ]


def amounts(adjustments: Rows, batches: Rows = ()) -> list[tuple[str, int]]:
    connection = run_models(
        {"order_lines": LINES, "adjustments": adjustments},
        "2025-06-30",
        ["int_order_lines_adjusted"],
        batches=batches,
    )
    return connection.execute(
        """
        select known_from::date::varchar, amount::int
        from night.intermediate.int_order_lines_adjusted order by known_from
        """
    ).fetchall()


def test_an_adjustment_that_changes_holds_as_it_was_known() -> None:
    changed = [
        adjustment("1300", "2025-02-01", "2025-02-01"),
        adjustment("1200", "2025-03-01", "2025-03-01"),
    ]
    assert amounts(changed) == [
        ("2025-01-01", 12000),
        ("2025-02-01", 1300),
        ("2025-03-01", 1200),
    ]


def test_an_adjustment_that_is_withdrawn_ends() -> None:
    batches = full_batches("2025-02-01", "2025-03-01")
    other = adjustment("x", "2025-03-01", "2025-03-01", adjustment_id="A2", entity_key="L9")
    withdrawn = [adjustment("1200", "2025-02-01", "2025-02-01"), other]
    assert amounts(withdrawn, batches) == [
        ("2025-01-01", 12000),
        ("2025-02-01", 1200),
        ("2025-03-01", 12000),
    ]


def test_an_adjustment_that_cannot_be_read_leaves_the_one_before() -> None:
    later = adjustment("a lot", "2025-03-01", "b", adjustment_id="A2", dated_on="2025-03-01")
    assert amounts([adjustment("1200", "2025-02-01", "b"), later])[-1][1] == 1200
