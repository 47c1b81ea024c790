"""Figures of the company, computed again in plain Python from the terms, MRR and renewals below."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.dbt.contract_histories import History, Row, moment
from tests.dbt.renewal_oracle import add_months
from tests.warehouse import run_models

NIGHT = dt.date(2024, 12, 12)
LAST_MONTH = dt.date(2024, 11, 1)
RESAMPLES = 200
MODELS = [
    *("renewals", "renewal_cohorts", "renewal_rates_by_lead", "signup_cohorts"),
    *("trial_conversions", "unit_economics_monthly", "kpi_monthly"),
]
CATEGORIES = ("sales", "marketing", "onboarding", "cs", "support", "hosting")
UNDECIDED = ("lifetime", "not_due")
Figures = dict[Any, tuple[Any, ...]]


def month_of(day: dt.date) -> dt.date:
    return day.replace(day=1)


def divide(part: float, whole: float) -> float | None:
    return part / whole if whole else None


@pytest.fixture(scope="module")
def company() -> duckdb.DuckDBPyConnection:
    history = History(5, customers=40)
    dice = history.random
    rows = history.rows
    for order in rows["orders"]:
        order["originator_role"] = dice.choice(("sales", "cs", "self"))
    starts = [line for line in rows["order_lines"] if "term_end" in line]
    customers = {order["order_id"]: order["customer_id"] for order in rows["orders"]}
    rows["customers"] = [
        {"customer_id": f"c{no}", "name": "A", "segment": dice.choice(("big", "small", None))}
        for no in range(40)
    ]
    rows["interactions"] = [
        {
            "interaction_id": str(no),
            "customer_id": customers[line["order_id"]],
            "kind": "renewal_talk",
            "occurred_at": moment(
                dt.date.fromisoformat(line["term_end"]) - dt.timedelta(dice.randint(-20, 200))
            ),
        }
        for no, line in enumerate(starts)
        if dice.random() < 0.6
    ]
    rows["subscriptions"] += [trial(dice.randint(0, 900), f"c{no}") for no in range(0, 40, 2)]
    rows["costs"] = [
        {"month": str(month), "category": category, "amount": dice.randint(50, 900)}
        for month in months_between(dt.date(2022, 1, 1), NIGHT)
        for category in CATEGORIES
        # One category is not delivered for two early months, and all of them for one.
        if month != dt.date(2022, 6, 1)
        if category != "cs" or month >= dt.date(2022, 3, 1)
    ]
    return run_models(rows, NIGHT, MODELS)


def trial(days: int, customer_id: str) -> Row:
    start = dt.date(2021, 12, 1) + dt.timedelta(days)
    return {
        "subscription_id": f"trial-{customer_id}",
        "customer_id": customer_id,
        "product_id": "pro",
        "term_start": str(start),
        "term_end": str(start + dt.timedelta(30)),
        "mrr": 0,
        "is_trial": True,
    }


def months_between(first: dt.date, last: dt.date) -> list[dt.date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [add_months(first, number) for number in range(count)]


def read(connection: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    found = connection.execute(f"from night.main.{table}")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def published(connection: duckdb.DuckDBPyConnection, table: str, key: str, columns: str) -> Figures:
    return {
        tuple(row[name] for name in key.split()): tuple(row[name] for name in columns.split())
        for row in read(connection, table)
    }


def assert_same(found: Figures, expected: Figures) -> None:
    assert found.keys() == expected.keys()
    for key, figures in expected.items():
        for mine, theirs in zip(figures, found[key], strict=True):
            if mine is None or theirs is None or isinstance(mine, str | dt.date):
                assert theirs == mine, (key, figures, found[key])
            else:
                close = pytest.approx(float(mine), rel=1e-6, abs=1e-6)
                assert float(theirs) == close, (key, figures, found[key])


def is_kept(renewal: Row) -> bool:
    return renewal["days_from_due"] is not None


def cell(renewals: list[Row], measure: str) -> tuple[Any, ...]:
    due = [1.0 if measure == "count" else float(row["due_arr"]) for row in renewals]
    new = [
        0.0 if not is_kept(row) else 1.0 if measure == "count" else float(row["renewed_arr"])
        for row in renewals
    ]
    kept = [min(pair) for pair in zip(due, new, strict=True)]
    last = max(row["due_date"] for row in renewals)

    def share(*outcomes: str) -> float | None:
        rows = zip(renewals, due, strict=True)
        return divide(sum(part for row, part in rows if row["outcome"] in outcomes), sum(due))

    by_days = [
        sum(
            part
            for row, part in zip(renewals, kept, strict=True)
            if is_kept(row) and row["days_from_due"] <= days
        )
        if last + dt.timedelta(days) <= NIGHT
        else None
        for days in (-30, 0, 30, 60, 90)
    ]
    rates: list[float | None] = [None, None, None]
    if last <= NIGHT:
        gross = sum(kept) / sum(due)
        months = sum(part * row["term_months"] for row, part in zip(renewals, due, strict=True))
        rates = [gross, sum(new) / sum(due), gross ** (12 * sum(due) / months)]
    return (
        len(renewals),
        sum(due),
        *by_days,
        *rates,
        *(share("open"), share("renewed_early", "coterminated"), share("renewed_late")),
        all(row["is_mature"] for row in renewals),
    )


def test_renewal_cohorts(company: duckdb.DuckDBPyConnection) -> None:
    cells: dict[Any, list[Row]] = defaultdict(list)
    for row in read(company, "renewals"):
        if row["outcome"] in UNDECIDED or row["is_known_late"]:
            continue
        for measure in ("count", "money"):
            for term_class in (row["term_class"], "all"):
                for segment in (row["segment"] or "unknown", "all"):
                    cells[month_of(row["due_date"]), measure, term_class, segment].append(row)
    found = published(
        company,
        "renewal_cohorts",
        "due_month measure term_class segment",
        "term_count due renewed_by_minus_30 renewed_by_0 renewed_by_plus_30 renewed_by_plus_60 "
        "renewed_by_plus_90 gross_rate net_rate annualised_rate open_share early_share late_share "
        "is_mature",
    )
    assert_same(found, {key: cell(rows, key[1]) for key, rows in cells.items()})


def wilson(hits: int, n: int) -> tuple[float, float]:
    z, rate = statistics.NormalDist().inv_cdf(0.975), hits / n
    middle = rate + z * z / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def test_renewal_rates_by_lead(company: duckdb.DuckDBPyConnection) -> None:
    buckets: dict[str, list[bool]] = defaultdict(list)
    for row in read(company, "renewals"):
        if not row["is_mature"] or row["is_known_late"] or row["term_class"] != "longer":
            continue
        if row["outcome"] in UNDECIDED:
            continue
        lead = row["talk_lead_days"]
        if lead is None:
            bucket = "no_talk"
        elif lead < 0:
            bucket = "after_due"
        elif lead >= 180:
            bucket = "180_days_and_more"
        else:
            first = max(bound for bound in (0, 30, 60, 90) if lead >= bound)
            bucket = f"{first}_to_{ {0: 29, 30: 59, 60: 89, 90: 179}[first] }_days"
        buckets[bucket].append(is_kept(row))
    assert len(buckets) == 7
    expected = {
        (bucket,): (len(kept), sum(kept) / len(kept), *wilson(sum(kept), len(kept)))
        for bucket, kept in buckets.items()
    }
    found = published(company, "renewal_rates_by_lead", "lead_bucket", "n rate rate_low rate_high")
    assert_same(found, expected)


def mrr_of_customers(company: duckdb.DuckDBPyConnection) -> dict[str, dict[dt.date, float]]:
    mrr: dict[str, dict[dt.date, float]] = defaultdict(dict)
    for row in read(company, "customer_mrr_monthly"):
        mrr[row["customer_id"]][row["month_start"]] = float(row["mrr"])
    return mrr


def first_days(terms: Iterable[Row]) -> dict[str, dt.date]:
    days: dict[str, dt.date] = {}
    for row in terms:
        known = days.get(row["customer_id"], row["term_start"])
        days[row["customer_id"]] = min(known, row["term_start"])
    return days


def test_signup_cohorts(company: duckdb.DuckDBPyConnection) -> None:
    paid = [row for row in read(company, "subscription_terms") if (row["contract_mrr"] or 0) > 0]
    mrr = mrr_of_customers(company)
    cohorts: dict[dt.date, list[str]] = defaultdict(list)
    for customer_id, day in first_days(paid).items():
        if day < add_months(LAST_MONTH, 1):
            cohorts[month_of(day)].append(customer_id)
    expected: Figures = {}
    for first, members in cohorts.items():
        for number, month in enumerate(months_between(first, LAST_MONTH)):
            opening = [mrr[member][first] for member in members]
            now = [mrr[member][month] for member in members]
            expected[first, number] = (
                len(members),
                sum(amount > 0 for amount in now),
                sum(opening),
                sum(map(min, zip(opening, now, strict=True))),
                sum(now),
            )
    columns = "customer_count kept_count mrr kept_mrr closing_mrr"
    assert_same(
        published(company, "signup_cohorts", "cohort_month month_number", columns), expected
    )


def test_trial_conversions(company: duckdb.DuckDBPyConnection) -> None:
    terms = [row for row in read(company, "subscription_terms") if row["term_start"] <= NIGHT]
    bought_once = company.execute(
        """
        select customer_id, approved_at::date from night.raw.orders
        semi join (from night.raw.order_lines where product_id = 'setup') using (order_id)
        where kind = 'formal'
        """
    ).fetchall()
    paid_dates = first_days(
        [
            *(row for row in terms if row["is_paid"]),
            *({"customer_id": name, "term_start": day} for name, day in bought_once),
        ]
    )
    expected: Figures = {}
    for customer_id in {row["customer_id"] for row in terms}:
        paid = paid_dates.get(customer_id)
        trials = [
            row
            for row in terms
            if row["customer_id"] == customer_id
            and row["is_trial"]
            and (paid is None or row["term_start"] < paid)
        ]
        if not trials:
            continue
        start = min(row["term_start"] for row in trials)
        end = max(row["effective_end"] for row in trials)
        limit = end + dt.timedelta(60)
        is_converted = True if paid and paid <= limit else False if limit <= NIGHT else None
        days = paid and (paid - start).days
        expected[(customer_id,)] = (start, end, paid, days, limit <= NIGHT, is_converted)
    assert len(expected) > 5
    columns = "trial_start trial_end paid_date trial_to_paid_days is_mature is_converted"
    found = published(company, "trial_conversions", "customer_id", columns)
    assert_same(found, expected)


def test_unit_economics(company: duckdb.DuckDBPyConnection) -> None:
    mrr = mrr_of_customers(company)
    months = sorted({month for amounts in mrr.values() for month in amounts})
    cost: dict[dt.date, dict[str, float]] = defaultdict(dict)
    for month, category, amount in company.execute(
        "select month, category, amount from night.raw.costs"
    ).fetchall():
        cost[month][category] = float(amount)
    movements = read(company, "mrr_movements")

    def spent(month: dt.date, *categories: str) -> float | None:
        amounts = [cost[month].get(category) for category in categories]
        known = [amount for amount in amounts if amount is not None]
        return sum(known) if len(known) == len(amounts) else None

    def payers(month: dt.date) -> set[str]:
        return {customer_id for customer_id, known in mrr.items() if known.get(month, 0) > 0}

    total = {month: sum(known.get(month, 0) for known in mrr.values()) for month in months}
    margin: dict[dt.date, float | None] = {}
    for month in months:
        of_revenue = spent(month, "hosting", "support")
        margin[month] = None if of_revenue is None else 1 - of_revenue / total[month]
    cohort_of = {
        customer_id: min(month for month, amount in known.items() if amount > 0)
        for customer_id, known in mrr.items()
        if any(amount > 0 for amount in known.values())
    }
    year = months[-12:]
    lost: Counter[str] = Counter()
    for row in movements:
        if row["month_start"] in year:
            lost[row["customer_id"]] += {"churn": 1, "late_renewal": -1}.get(row["kind"], 0)
    at_risk = Counter(name for month in year for name in payers(add_months(month, -1)))
    year_margin = sum(total[month] * (margin[month] or 0) for month in year) / sum(
        total[month] for month in year
    )

    cohorts: dict[dt.date, list[str]] = defaultdict(list)
    for customer_id, first in sorted(cohort_of.items()):
        cohorts[first].append(customer_id)

    def hazard_of(people: Iterable[str]) -> float:
        counted = list(people)
        return sum(lost[name] for name in counted) / sum(at_risk[name] for name in counted)

    def drawn(first: dt.date, sample: int) -> list[str]:
        """The cohort drawn again from its own customers, by the first 32 bits of an MD5."""
        members, again = cohorts[first], []
        for number in range(1, len(members) + 1):
            digest = hashlib.md5(f"{first}|{number}|{sample}".encode()).hexdigest()
            again.append(members[int(digest[:8], 16) * len(members) // 2**32])
        return again

    resamples = [
        {first: drawn(first, sample) for first in cohorts} for sample in range(1, RESAMPLES + 1)
    ]
    hazards = [hazard_of(itertools.chain(*people.values())) for people in resamples]

    def worth(customer_id: str, first: dt.date, hazard: float) -> float | None:
        seen = [month for month in months if month >= first]
        if any(margin[month] is None and mrr[customer_id][month] > 0 for month in seen):
            return None
        tail = sum((1 - hazard) ** number for number in range(1, 60 - len(seen) + 1))
        observed = sum(mrr[customer_id][month] * (margin[month] or 0) for month in seen)
        return observed + mrr[customer_id][months[-1]] * year_margin * tail

    def mean_worth(people: list[str], first: dt.date, hazard: float) -> float | None:
        values = [worth(member, first, hazard) for member in people]
        known = [value for value in values if value is not None]
        return statistics.mean(known) if known and len(known) == len(values) else None

    expected: Figures = {}
    for month in months:
        members = cohorts.get(month, [])
        kept = len(payers(month) & payers(add_months(month, -1)))
        presales, care = spent(month, "sales", "marketing"), spent(month, *CATEGORIES[2:5])
        after = spent(month, *CATEGORIES[2:])
        ltv = mean_worth(members, month, hazard_of(cohort_of))
        low = high = None
        if ltv is not None and len(members) > 1:
            again = [
                mean_worth(people[month], month, hazard)
                for people, hazard in zip(resamples, hazards, strict=True)
            ]
            low, high = np.quantile(again, [0.025, 0.975])
        cac = divide(presales, len(members)) if presales is not None else None
        running, payback = 0.0, None
        for number, later in enumerate((m for m in months if m >= month), start=1):
            if (earned := sum(mrr[member][later] for member in members)) and margin[later] is None:
                break
            running += earned * (margin[later] or 0)
            if members and presales is not None and running >= presales:
                payback = number
                break
        if not cost[month]:
            reason: str | None = "no_costs"
        elif care is None:
            reason = "no_care_costs"
        elif not members:
            reason = "no_new_customers"
        else:
            reason = "no_cost_of_revenue" if ltv is None else None
        expected[(month,)] = (
            *(len(members), kept, cac, divide(care, kept) if care is not None else None),
            *(ltv, low, high),
            *(ltv / cac if ltv is not None and cac else None, payback),
            presales / (presales + after) if presales is not None and after is not None else None,
            reason,
        )
    columns = (
        "new_customer_count retained_customer_count cac crc ltv ltv_low ltv_high ltv_cac "
        "payback_months cost_share_presales missing_reason"
    )
    assert_same(published(company, "unit_economics_monthly", "month_start", columns), expected)


def test_figures_of_a_month(company: duckdb.DuckDBPyConnection) -> None:
    mrr = mrr_of_customers(company)
    months = sorted({month for amounts in mrr.values() for month in amounts})
    movements, renewals = read(company, "mrr_movements"), read(company, "renewals")
    terms, trials = read(company, "subscription_terms"), read(company, "trial_conversions")
    expected: Figures = {}
    for month in months:
        sizes = sorted((known.get(month, 0) for known in mrr.values()), reverse=True)
        new = [
            float(row["amount"])
            for row in movements
            if row["month_start"] == month and row["kind"] == "new"
        ]
        renewed = [
            float(row["renewed_arr"])
            for row in renewals
            if is_kept(row) and row["term_class"] == "longer"
            if month_of(row["outcome_date"]) == month
        ]
        led = [
            float(row["arr"])
            for row in terms
            if row["is_paid"] and row["originator_role"] == "cs" and row["period_no"] == 1
            if month_of(row["closed_on"]) == month
        ]
        begun = [row for row in trials if month_of(row["trial_start"]) == month]
        are_mature = begun and all(row["is_mature"] for row in begun)
        expected[(month,)] = (
            *(sum(sizes), 12 * sum(sizes), 12 * sum(new), sum(renewed)),
            *(sum(renewed) > 12 * sum(new), sum(led), divide(sum(sizes[:10]), sum(sizes))),
            *("start", len(begun)),
            sum(row["is_converted"] for row in begun) / len(begun) if are_mature else None,
        )
    columns = (
        "mrr arr new_arr renewed_arr is_renewed_above_new cs_led_arr top10_arr_share stage "
        "trial_count trial_conversion"
    )
    assert_same(published(company, "kpi_monthly", "month_start", columns), expected)
