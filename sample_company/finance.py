"""Costs, targets, exchange rates, and the few adjustments finance has written down."""

from __future__ import annotations

import random
from datetime import timedelta

import polars as pl

from sample_company.catalogue import CHF_KNOWN_FROM, CHF_RATE
from sample_company.company import Company
from sample_company.corrections import adjusted_lines
from sample_company.dates import LAST_DAY, months_of
from sample_company.tables import DATE, MONEY, NUMBER, TEXT, Columns, money, table

COST_SHARES = {
    "sales": 55, "marketing": 35, "onboarding": 12, "cs": 30, "support": 22, "hosting": 18,
    "rd": 90,
}  # fmt: skip

COLUMNS: dict[str, Columns] = {
    "costs": {"month": DATE, "category": TEXT, "amount": MONEY, "currency": TEXT},
    "exchange_rates": {"rate_date": DATE, "currency": TEXT, "rate": NUMBER},
    "adjustments": {
        "adjustment_id": TEXT, "author": TEXT, "reason": TEXT, "dated_on": DATE, "entity": TEXT,
        "entity_key": TEXT, "column": TEXT, "value": TEXT,
    },
    "targets": {"month": DATE, "metric": TEXT, "segment": TEXT, "value": MONEY},
}  # fmt: skip


def write_finance(company: Company) -> dict[str, pl.DataFrame]:
    """All tables of `COLUMNS`; costs and targets grow with the company."""
    random_ = random.Random(f"{company.seed}/finance")
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in COLUMNS}
    for number, month in enumerate(months_of(company.start, LAST_DAY)):
        size = len(company.customers) * (0.3 + 0.02 * number)
        for category, share in COST_SHARES.items():
            cents = round(share * 100 * size * random_.uniform(0.9, 1.1))
            rows["costs"].append((month, category, money(cents), "EUR"))
        for metric, value in (("new_arr", 80), ("mrr", 200 + 4 * number)):
            amount = money(100 * value * len(company.customers))
            rows["targets"].append((month, metric, "all", amount))
        rows["targets"] += [(month, "nrr", "all", "0.95"), (month, "grr", "enterprise", "0.90")]
    rows["exchange_rates"] = [(day, "USD", rate) for day, rate in company.rates.items()]
    rows["exchange_rates"].append((CHF_KNOWN_FROM, "CHF", CHF_RATE))
    for number, line in enumerate(adjusted_lines(company.book), start=1):
        rows["adjustments"].append(
            (
                f"A{number:04d}", "finance", "amount typed ten times too high",
                LAST_DAY - timedelta(days=20), "order_lines", line.order_line_id, "amount",
                money(line.amount),
            )
        )  # fmt: skip
    return {name: table(columns, rows[name]) for name, columns in COLUMNS.items()}
