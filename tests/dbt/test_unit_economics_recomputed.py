"""What customers cost and are worth, worked out from raw contracts in plain Python.

Some pay in yen, which have no rate, some costs are not told, some customers are merged, some have
no segment, and losses are few at first. Some buy by orders, that CS may have brought, and some try
first, or later.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pytest

from dagster_project.settings import Definitions
from tests.dbt.contract_histories import Row
from tests.dbt.renewal_oracle import add_months, grace_days
from tests.warehouse import run_models

NIGHT, FIRST_MONTH = dt.date(2024, 6, 12), dt.date(2022, 1, 1)
CUSTOMERS, SEED, LEAST_LOSSES, CAP = 60, 4, 6, 60
DAY = dt.timedelta(1)
RATES = {"EUR": 1.0, "USD": 0.5, "JPY": None}
MONTHS = [add_months(FIRST_MONTH, number) for number in range(29)]
CATEGORIES = ("sales", "marketing", "onboarding", "cs", "support", "hosting")
STAGES = {"large": 150_000, "middle": 60_000, "small": 0}
CONVERSION_DAYS = dt.timedelta(60)
TARGETS = ["mrr", "arr", "new_arr", "top10_arr_share", "expansion_multiple", "cs_led_arr", "visits"]


@dataclass(frozen=True)
class Contract:
    customer_id: str
    start: dt.date
    end: dt.date
    mrr: int
    currency: str
    months: int
    role: str | None = None
    approved_on: dt.date | None = None


@dataclass(frozen=True)
class Trial:
    customer_id: str
    start: dt.date
    end: dt.date


def sign(customer_id: str, dice: random.Random) -> Iterable[Contract]:
    """One after the other, with gaps within the grace, beyond it, or none; never of a few days."""
    start = FIRST_MONTH + dt.timedelta(dice.randint(0, 600))
    for _ in range(dice.randint(1, 8)):
        months = dice.choice((1, 3, 6, 12))
        end = add_months(start, months)
        currency = dice.choice(("EUR", "EUR", "EUR", "USD", "JPY"))
        yield Contract(customer_id, start, end, dice.randint(1, 9) * 100, currency, months)
        start = end + dt.timedelta(dice.choice((0, 0, 0, 10, 25, 100)))
        if start > NIGHT:
            return


def order(contract: Contract, dice: random.Random) -> Contract:
    """Two of three are bought by an order that was approved up to 40 days before."""
    if dice.random() < 0.3:
        return contract
    approved_on = contract.start - dt.timedelta(dice.randint(0, 40))
    return replace(contract, role=dice.choice(("cs", "sales")), approved_on=approved_on)


def try_out(customer_id: str, dice: random.Random) -> Iterable[Trial]:
    """None, one or two trials, before or after a customer pays; the last may run tonight."""
    for _ in range(dice.choice((0, 0, 1, 2))):
        start = FIRST_MONTH + dt.timedelta(dice.randint(0, 890))
        yield Trial(customer_id, start, start + dt.timedelta(dice.choice((7, 14, 30, 90))))


class Company:
    def __init__(self) -> None:
        dice = random.Random(SEED)
        names = [f"c{number:02}" for number in range(CUSTOMERS)]
        self.contracts = [contract for name in names for contract in sign(name, dice)]
        later_dice = random.Random(SEED + 1)
        self.contracts = [order(contract, later_dice) for contract in self.contracts]
        self.trials = [trial for name in names for trial in try_out(name, later_dice)]
        self.merged = {name: f"c{number * 7:02}" for number, name in enumerate(names[1:60:10])}
        self.merged = {old: new for old, new in self.merged.items() if old != new}
        self.segments = {name: dice.choice(("big", "small", None)) for name in names}
        self.held: dict[str, list[Contract]] = defaultdict(list)
        for contract in self.contracts:
            self.held[self.resolve(contract.customer_id)].append(contract)
        self.costs = {
            (month, category): dice.randint(100, 900)
            for month in MONTHS
            for category in CATEGORIES
            if dice.random() > 0.02
        }
        self.costs_in_yen = {(MONTHS[9], "sales"), (MONTHS[12], "hosting")} & self.costs.keys()

    @property
    def rows(self) -> dict[str, list[Row]]:
        return {
            "customers": [
                {"customer_id": name, "name": name, "segment": segment}
                | {"merged_into_customer_id": self.merged.get(name)}
                for name, segment in self.segments.items()
            ],
            "exchange_rates": [{"rate_date": "2020-01-01", "currency": "USD", "rate": 0.5}],
            "subscriptions": [
                {"subscription_id": str(no), "customer_id": contract.customer_id}
                | {"product_id": "pro", "mrr": contract.mrr, "currency": contract.currency}
                | {"term_start": str(contract.start), "term_end": str(contract.end)}
                for no, contract in enumerate(self.contracts)
                if contract.role is None
            ]
            + [
                {"subscription_id": f"trial-{no}", "customer_id": trial.customer_id}
                | {"product_id": "pro", "mrr": 0, "is_trial": True}
                | {"term_start": str(trial.start), "term_end": str(trial.end)}
                for no, trial in enumerate(self.trials)
            ],
            "orders": [
                {"order_id": str(no), "customer_id": contract.customer_id, "kind": "formal"}
                | {"status": "approved", "originator_role": contract.role}
                | {"ordered_at": f"{contract.approved_on}T08:00:00Z"}
                | {"approved_at": f"{contract.approved_on}T09:00:00Z"}
                | {"currency": contract.currency}
                for no, contract in enumerate(self.contracts)
                if contract.role is not None
            ],
            "order_lines": [
                {"order_line_id": str(no), "order_id": str(no), "product_id": "pro"}
                | {"quantity": 1, "amount": contract.mrr * contract.months}
                | {"term_start": str(contract.start), "term_end": str(contract.end)}
                | {"_known_at": f"{contract.approved_on}T09:00:00Z"}
                for no, contract in enumerate(self.contracts)
                if contract.role is not None
            ],
            "costs": [
                {"month": str(month), "category": category, "amount": amount}
                | ({"currency": "JPY"} if (month, category) in self.costs_in_yen else {})
                for (month, category), amount in self.costs.items()
            ],
            "targets": [
                {"month": str(month), "metric": metric, "segment": segment, "value": value}
                | {"_known_at": "2024-01-01T00:00:00Z"}
                for month in (MONTHS[-1], add_months(MONTHS[-1], 2))
                for metric, segment, value in (
                    *((metric, "all", 1000) for metric in TARGETS),
                    *(("grr", name, 0.9) for name in ("all", "big", "small", "unknown", "none")),
                )
            ],
        }

    def resolve(self, name: str) -> str:
        return self.resolve(self.merged[name]) if name in self.merged else name

    def running(self, name: str, month: dt.date) -> list[Contract]:
        day = add_months(month, 1) - DAY
        return [held for held in self.held[name] if held.start <= day < held.end]

    def conversions(self, month: dt.date) -> list[tuple[bool, bool]]:
        """Of who first tried in a month and had not paid: was it converted, and is that final?"""
        found = []
        for name in {self.resolve(trial.customer_id) for trial in self.trials}:
            tried = [t for t in self.trials if self.resolve(t.customer_id) == name]
            first = min(trial.start for trial in tried)
            paid = min([held.start for held in self.held.get(name, ())], default=NIGHT + DAY)
            paid_on = paid if paid <= NIGHT else dt.date.max
            if paid_on < first or first.replace(day=1) != month:
                continue
            last_day = max(t.end for t in tried if t.start <= paid_on) + CONVERSION_DAYS
            found.append((paid_on <= last_day, last_day <= NIGHT))
        return found

    def led_by_cs(self, month: dt.date) -> float:
        """ARR of contracts that CS brought, by the month of their approval."""
        return sum(
            12 * contract.mrr * (RATES[contract.currency] or 0)
            for contract in self.contracts
            if contract.role == "cs" and (contract.approved_on or NIGHT).replace(day=1) == month
        )

    def pays(self, name: str, month: dt.date) -> bool:
        return bool(self.running(name, month))

    def lacks_rate(self, name: str, month: dt.date) -> bool:
        return any(held.currency == "JPY" for held in self.running(name, month))

    def mrr(self, name: str, month: dt.date) -> float:
        return sum(held.mrr * (RATES[held.currency] or 0) for held in self.running(name, month))

    def total(self, month: dt.date) -> float:
        return sum(self.mrr(name, month) for name in self.held)

    def first_month(self, name: str) -> dt.date | None:
        return next((month for month in MONTHS if self.pays(name, month)), None)

    def losses(self, name: str, month: dt.date) -> int:
        before = add_months(month, -1)
        if self.pays(name, before) and not self.pays(name, month):
            return 1
        earlier = [held for held in self.held[name] if held.start < month]
        if not self.pays(name, month) or self.pays(name, before) or not earlier:
            return 0
        last = max(earlier, key=lambda held: (held.end, grace_days(held.start, held.end)))
        back = min(held.start for held in self.held[name] if held.start >= month)
        return -(back <= last.end + dt.timedelta(grace_days(last.start, last.end)))

    def spent(self, month: dt.date, *categories: str) -> float | None:
        keys = [(month, category) for category in categories]
        is_told = all(key in self.costs and key not in self.costs_in_yen for key in keys)
        return sum(self.costs[key] for key in keys) if is_told else None

    def margin(self, month: dt.date) -> float | None:
        spent, total = self.spent(month, "hosting", "support"), self.total(month)
        return (total - spent) / total if spent is not None and total else None


@pytest.fixture(scope="module")
def told() -> Company:
    return Company()


@pytest.fixture(scope="module")
def company(told: Company) -> duckdb.DuckDBPyConnection:
    models = ["unit_economics_monthly", "kpi_monthly", "target_attainment"]
    definitions = Definitions.model_validate(
        {
            "money": {
                "least_losses": LEAST_LOSSES,
                "arr_stages": [{"name": name, "min_arr": arr} for name, arr in STAGES.items()],
            }
        }
    )
    return run_models(told.rows, NIGHT, models, definitions=definitions)


def divide(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def lifetime_margin(
    told: Company, names: list[str], months: list[dt.date], margin_now: float | None, tail: float
) -> float | None:
    """What customers left in these months, and what those still there will leave; None: unknown."""
    found = 0.0
    for at in months:
        worth = sum(told.mrr(name, at) for name in names)
        margin, to_come = told.margin(at), margin_now if at == MONTHS[-1] else 0
        if worth and (margin is None or to_come is None):
            return None
        found += worth * ((margin or 0) + (to_come or 0) * tail)
    return found


def economics(told: Company, month: dt.date) -> dict[str, Any]:
    """Every figure of a month but the bootstrapped bounds, which have a test of their own."""
    before = add_months(month, -1)
    came = [name for name in told.held if told.first_month(name) == month]
    kept = [name for name in told.held if told.pays(name, before) and told.pays(name, month)]
    year = [earlier for earlier in MONTHS if add_months(month, -12) < earlier <= month]
    losses = sum(told.losses(name, earlier) for name in told.held for earlier in year)

    def at_risk(months: list[dt.date]) -> int:
        return sum(told.pays(name, add_months(at, -1)) for name in told.held for at in months)

    def margin_of(months: list[dt.date]) -> float | None:
        spent = [told.spent(at, "hosting", "support") for at in months]
        total = sum(map(told.total, months))
        known = [amount for amount in spent if amount is not None]
        return (total - sum(known)) / total if len(known) == len(spent) else None

    presales = told.spent(month, "sales", "marketing")
    care = told.spent(month, "onboarding", "cs", "support")
    after = told.spent(month, "onboarding", "cs", "support", "hosting")
    cac = divide(presales, len(came))
    since = [at for at in MONTHS if at >= month]
    rated = [name for name in came if not any(told.lacks_rate(name, at) for at in since)]
    last_year = MONTHS[-12:]
    hazard = sum(told.losses(name, at) for name in told.held for at in last_year) / at_risk(
        last_year
    )
    tail = sum((1 - hazard) ** number for number in range(1, CAP - len(since) + 1))
    ltv = divide(lifetime_margin(told, rated, since, margin_of(last_year), tail), len(rated))
    payback, earned = None, 0.0
    for number, at in enumerate(since if came and presales is not None else (), start=1):
        worth = sum(told.mrr(name, at) for name in came)
        if worth and told.margin(at) is None:
            break
        earned += worth * (told.margin(at) or 0)
        if earned >= (presales or 0):
            payback = number
            break
        if any(told.lacks_rate(name, at) for name in came):
            break
    known = [
        told.mrr(name, month)
        for name in told.held
        if told.pays(name, month) and not told.lacks_rate(name, month)
    ]
    by_churn = None
    if losses >= LEAST_LOSSES and (rate := margin_of(year)) is not None:
        by_churn = sum(known) / len(known) * rate / (losses / at_risk(year))
    reasons = {
        "no_costs": not any((month, category) in told.costs for category in CATEGORIES),
        "no_presales_costs": presales is None,
        "no_care_costs": care is None,
        "no_cost_of_revenue": told.margin(month) is None,
        "no_exchange_rate": bool(came) and not rated,
        "no_new_customers": not came,
    }
    reason = next((reason for reason, holds in reasons.items() if holds), None)
    if reason is None and ltv is None:
        reason = "no_cost_of_revenue"
    return {
        "new_customer_count": len(came),
        "retained_customer_count": len(kept),
        "loss_count_12m": losses,
        "cac": cac,
        "crc": divide(care, len(kept)),
        "gross_margin_ratio": told.margin(month),
        "ltv": ltv,
        "ltv_cac": divide(ltv, cac),
        "payback_months": payback,
        "cost_share_presales": divide(presales, after and presales and presales + after),
        "ltv_by_churn": by_churn,
        "missing_reason": reason,
    }


def figures(told: Company, month: dt.date) -> dict[str, Any]:
    sizes = sorted((told.mrr(name, month) for name in told.held), reverse=True)
    came = [name for name in told.held if told.first_month(name) == month]
    new = [name for name in came if not any(c.start < month for c in told.held[name])]
    now, landed = 0.0, 0.0
    for name, held in told.held.items():
        first_day = min(contract.start for contract in held)
        first = [contract for contract in held if contract.start == first_day]
        is_year_old = add_months(first_day, 12) < add_months(month, 1)
        is_rated = all(contract.currency != "JPY" for contract in first)
        if is_year_old and is_rated and not told.lacks_rate(name, month) and told.mrr(name, month):
            now += told.mrr(name, month)
            landed += sum(contract.mrr * (RATES[contract.currency] or 0) for contract in first)
    tried = told.conversions(month)
    is_final = all(is_final for _, is_final in tried)
    return {
        "mrr": sum(sizes),
        "arr": 12 * sum(sizes),
        "new_arr": 12 * sum(told.mrr(name, month) for name in new),
        "cs_led_arr": told.led_by_cs(month),
        "stage": next(name for name, arr in STAGES.items() if 12 * sum(sizes) >= arr),
        "trial_count": len(tried),
        "trial_conversion": divide(sum(hit for hit, _ in tried), len(tried)) if is_final else None,
        "top10_arr_share": divide(sum(sizes[:10]), sum(sizes)),
        "expansion_multiple": divide(now, landed),
    }


def published(company: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    found = company.execute(f"from night.main.{table}")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def compare(found: list[Row], expected: dict[dt.date, dict[str, Any]]) -> list[object]:
    rows = {row["month_start"]: row for row in found}
    assert rows.keys() == expected.keys()
    return [
        (month, name, mine, rows[month][name])
        for month, figures in expected.items()
        for name, mine in figures.items()
        if not is_same(rows[month][name], mine)
    ]


def is_same(found: Any, mine: Any) -> bool:
    if found is None or mine is None or isinstance(mine, str):
        return bool(found == mine)
    return bool(float(found) == pytest.approx(float(mine), rel=1e-6, abs=1e-6))


def test_unit_economics_from_raw_contracts(
    told: Company, company: duckdb.DuckDBPyConnection
) -> None:
    expected = {month: economics(told, month) for month in MONTHS}
    assert compare(published(company, "unit_economics_monthly"), expected) == []
    reasons = {figures["missing_reason"] for figures in expected.values()}
    assert reasons >= {None, "no_presales_costs", "no_care_costs", "no_cost_of_revenue"}
    assert "no_exchange_rate" in reasons
    refused = {figures["ltv_by_churn"] is None for figures in expected.values()}
    assert refused == {True, False}


def test_figures_of_a_month_from_raw_contracts(
    told: Company, company: duckdb.DuckDBPyConnection
) -> None:
    expected = {month: figures(told, month) for month in MONTHS}
    assert compare(published(company, "kpi_monthly"), expected) == []
    assert {row["stage"] for row in expected.values()} == STAGES.keys()
    assert {row["trial_conversion"] in (None, 0, 1) for row in expected.values()} == {True, False}


def gross_retention(told: Company, month: dt.date, segment: str) -> float | None:
    """Of the year that ends with the month, of customers whose money is known at both ends."""
    before = add_months(month, -12)
    opening, kept = 0.0, 0.0
    for name in told.held:
        is_known = not told.pays(name, month) or not (
            told.lacks_rate(name, before) or told.lacks_rate(name, month)
        )
        if segment in ("all", told.segments[name] or "unknown") and is_known:
            opening += told.mrr(name, before)
            kept += min(told.mrr(name, before), told.mrr(name, month))
    return divide(kept, opening)


def test_targets_are_met_by_the_figures_of_closed_months_only(
    told: Company, company: duckdb.DuckDBPyConnection
) -> None:
    month = MONTHS[-1]
    actual = {(metric, "all"): figures(told, month).get(metric) for metric in TARGETS}
    for segment in ("all", "big", "small", "unknown", "none"):
        actual["grr", segment] = gross_retention(told, month, segment)
    found = published(company, "target_attainment")
    assert len(found) == 2 * len(actual)
    for row in found:
        mine = actual[row["metric"], row["segment"]] if row["month_start"] == month else None
        assert is_same(row["actual"], mine), row
        assert is_same(row["attainment_ratio"], divide(mine, row["target"])), row
