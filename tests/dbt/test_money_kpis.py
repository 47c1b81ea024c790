"""Figures of a month at their limits: the ten largest, a year, a stage, who brought it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.warehouse import run_model

STAGES = [{"name": "large", "min_arr": 12600}, {"name": "small", "min_arr": 0}]
# Eleven customers; whose MRR is 0 has left.
MRR = {f"c{number:02}": 100 for number in range(1, 11)} | {"c11": 50, "left": 0}
# customer, first day, monthly amount, ARR, originator, period, day it was closed
TERMS: list[tuple[str, str, Any, Any, str, int, str]] = [
    # Twelve months on the last day; what is for ever, or began later, is not what it landed with.
    ("c01", "2022-12-01", None, None, "sales", 1, "2022-12-01"),
    ("c01", "2023-01-31", 50, 600, "sales", 1, "2023-01-31"),
    ("c01", "2023-01-31", None, None, "sales", 1, "2023-01-31"),
    ("c01", "2023-06-01", 50, 600, "sales", 1, "2023-06-01"),
    # Landed with money without a rate, or a day too late, or has left.
    ("c02", "2022-01-01", 100, None, "sales", 1, "2022-01-01"),
    ("left", "2022-01-01", 100, 1200, "sales", 1, "2022-01-01"),
    *(
        (f"c{number:02}", "2023-02-01", 100, 1200, "sales", 1, "2023-02-01")
        for number in range(3, 12)
    ),
    # CS brought the first period, and nobody the second.
    ("c03", "2024-02-01", 20, 240, "cs", 1, "2024-01-05"),
    ("c03", "2024-02-01", 20, 240, "cs", 2, "2024-01-05"),
    ("c03", "2024-02-01", 20, 240, "sales", 1, "2024-01-05"),
]


def values(columns: str, *rows: str) -> str:
    return f"select * from (values {', '.join(rows)}) as listed ({columns})"


def text(value: Any) -> str:
    return "null" if value is None else str(value)


def test_the_figures_of_a_month_at_their_limits():
    month = "date '2024-01-01'"
    [found] = run_model(
        "kpi_monthly",
        {
            "customer_mrr_monthly": values(
                "customer_id, month_start, mrr, is_rate_missing",
                *(
                    f"('{name}', {month}, {mrr}::decimal(38, 10), false)"
                    for name, mrr in MRR.items()
                ),
            ),
            "mrr_movements": values(
                "month_start, kind, amount",
                f"({month}, 'new', 50::decimal(38, 10))",
                f"({month}, 'expansion', 900)",
            ),
            "renewals": values(
                "term_class, outcome_date, renewed_arr",
                "('longer', date '2024-01-10', 700::decimal(38, 10))",
                "('under_three_months', date '2024-01-10', 300)",
            ),
            "subscription_terms": values(
                "customer_id, term_start, contract_mrr, arr, originator_role, period_no, "
                "closed_on, is_paid",
                *(
                    f"('{name}', date '{start}', {text(mrr)}::decimal(38, 10), "
                    f"{text(arr)}::decimal(38, 10), '{role}', {period}, date '{closed}', true)"
                    for name, start, mrr, arr, role, period, closed in TERMS
                ),
            ),
            "trial_conversions": values(
                "trial_start, is_mature, is_converted",
                "(date '2024-01-02', true, true)",
                "(date '2024-01-31', true, false)",
            ),
        },
        {"arr_stages": STAGES},
    )
    assert found["top10_arr_share"] == pytest.approx(1000 / 1050)
    assert found["expansion_multiple"] == 2
    assert (found["new_arr"], found["renewed_arr"], found["cs_led_arr"]) == (600, 700, 240)
    assert (found["arr"], found["stage"]) == (12600, "large")
    assert (found["trial_count"], found["trial_conversion"]) == (2, 0.5)
