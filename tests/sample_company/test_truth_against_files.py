"""Truth and files tell the same story: the files are read here by the published rules alone."""

from __future__ import annotations

import calendar
import json
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from tests.sample_company.reading import newest

BERLIN = ZoneInfo("Europe/Berlin")
LAST_DAY = date(2026, 6, 30)
NEVER = date(9999, 1, 1)


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def company_day(text: str | None) -> date | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.astimezone(BERLIN).date()


def add_months(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def monthly(amount: Fraction, start: date, end: date) -> Fraction:
    months = (end.year - start.year) * 12 + end.month - start.month
    if months and add_months(start, months) == end:
        return amount / months
    return amount * 365 / (12 * (end - start).days)


def terms_of(folder: Path) -> list[tuple[str, str, date, date, Fraction, str, str]]:
    """(customer, product, start, effective end, mrr, currency, key) by the rules of a term."""
    orders = {row["order_id"]: row for row in newest(folder, "orders")}
    kinds = {row["product_id"]: row["kind"] for row in newest(folder, "products")}
    merged = {
        row["customer_id"]: row["merged_into_customer_id"] for row in newest(folder, "customers")
    }
    adjusted = {row["entity_key"]: row["value"] for row in newest(folder, "adjustments")}
    lines = newest(folder, "order_lines")
    replaced: dict[str | None, date] = {}
    followed: dict[str | None, date] = {}
    for line in lines:
        start, order = day(line["term_start"]), orders[line["order_id"]]
        if start and order["approved_at"] and kinds[line["product_id"]] not in ("usage",):
            if line["replaces_order_line_id"]:
                key = line["replaces_order_line_id"]
                replaced[key] = min(start, replaced.get(key, NEVER))
            if order["previous_order_id"]:
                key = order["previous_order_id"]
                followed[key] = min(start, followed.get(key, NEVER))
    found = []
    ends: dict[str | None, date] = {}
    for line in sorted(lines, key=lambda row: row["bound_to_order_line_id"] or ""):
        order = orders[line["order_id"]]
        start, end = day(line["term_start"]), day(line["term_end"])
        if order["kind"] == "trial" or not order["approved_at"] or not start or not end:
            continue
        if kinds[line["product_id"]] in ("usage", "one_time"):
            continue
        stops = [
            company_day(line["cancelled_at"]),
            company_day(order["cancelled_at"]),
            company_day(order["refunded_at"]),
            replaced.get(line["order_line_id"]),
            followed.get(line["order_id"]),
            ends.get(line["bound_to_order_line_id"]) if line["bound_to_order_line_id"] else None,
        ]
        stop = min((value for value in stops if value), default=NEVER)
        amount = Fraction(adjusted.get(line["order_line_id"]) or line["amount"] or "0")
        mrr = monthly(amount, start, end)
        noted = company_day(line["non_renewal_noted_at"])
        periods = [(start, end)]
        length = (end.year - start.year) * 12 + end.month - start.month
        while line["is_auto_renew"] == "true" and periods[-1][1] <= LAST_DAY:
            last = periods[-1][1]
            if noted and noted <= last:
                break
            if stop <= last:
                break
            periods.append((last, add_months(last, length)))
        customer = merged.get(order["customer_id"]) or order["customer_id"]
        for begin, finish in periods:
            until = min(finish, stop)
            ends[line["order_line_id"]] = until
            if begin < until:
                key = line["order_line_id"] or ""
                product = line["product_id"] or ""
                found.append((customer, product, begin, until, mrr, order["currency"], key))
    for row in newest(folder, "subscriptions"):
        start, end = day(row["term_start"]), day(row["term_end"])
        if row["is_trial"] == "true" or not start or not end:
            continue
        mrr = Fraction(row["mrr"]) if row["mrr"] else monthly(Fraction(row["amount"]), start, end)
        found.append(
            (row["customer_id"], row["product_id"], start, end, mrr, row["currency"],
             row["subscription_id"])
        )  # fmt: skip
    return found


def test_the_terms_follow_from_the_files(sample: Path) -> None:
    truth = pl.read_parquet(sample / "truth/terms.parquet").filter(
        ~pl.col("is_trial") & pl.col("mrr").is_not_null()
    )
    known = sorted(
        zip(*(truth[c] for c in ("key", "customer_id", "term_start", "effective_end")), strict=True)
    )
    derived = sorted((key, who, start, end) for who, _, start, end, _, _, key in terms_of(sample))
    assert derived == known


def test_the_monthly_mrr_follows_from_the_files_to_the_last_place(sample: Path) -> None:
    rates: dict[str | None, dict[str, str]] = {"EUR": {"": "1"}}
    for row in newest(sample, "exchange_rates"):
        rates.setdefault(row["currency"], {})[row["rate_date"] or ""] = row["rate"] or ""
    terms = defaultdict(list)
    for who, product, start, end, mrr, currency, key in terms_of(sample):
        terms[who].append((product, start, end, mrr, currency, key))
    bridges = {
        (row["key"], row["term_start"]): row["gap_until"]
        for row in pl.read_parquet(sample / "truth/terms.parquet").to_dicts()
    }
    months = pl.read_parquet(sample / "truth/customer_months.parquet").to_dicts()
    assert len(months) > 500
    for month in months:
        last = add_months(month["month_start"], 1) - timedelta(days=1)
        total, is_unknown = Fraction(0), False
        for _, start, end, mrr, currency, key in terms[month["customer_id"]]:
            until = bridges[(key, start)] or end
            if start <= last < until:
                known = [on for on in rates[currency] if on <= last.isoformat()]
                is_unknown |= not known
                total += mrr * Fraction(rates[currency][max(known)] if known else 0)
        assert (month["mrr"] is None) == is_unknown, month
        assert is_unknown or abs(Fraction(month["mrr"]) - total) <= Fraction(1, 2 * 10**10), month


def test_a_bridged_gap_is_at_most_seven_days_and_leads_to_the_same_product(sample: Path) -> None:
    terms = pl.read_parquet(sample / "truth/terms.parquet")
    bridged = terms.filter(pl.col("gap_until").is_not_null()).to_dicts()
    assert bridged
    starts = {(r["customer_id"], r["product_id"], r["term_start"]) for r in terms.to_dicts()}
    for row in bridged:
        assert 1 <= (row["gap_until"] - row["effective_end"]).days <= 7
        assert (row["customer_id"], row["product_id"], row["gap_until"]) in starts


def test_the_amounts_of_the_order_lines_add_up(sample: Path) -> None:

    totals = json.loads((sample / "truth/totals.json").read_text())
    adjusted = {row["entity_key"]: row["value"] for row in newest(sample, "adjustments")}
    lines = newest(sample, "order_lines")
    amounts = [Decimal(adjusted.get(r["order_line_id"]) or r["amount"] or "0") for r in lines]
    assert len(lines) == totals["order_lines"]
    assert sum(amounts) == Decimal(totals["order_line_amount"])
    assert len(newest(sample, "orders")) == totals["orders"]
