"""Every planted fault stands in the files at the customer that lives it, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from sample_company.catalogue import BASE
from sample_company.stories import FAULT_STORIES
from tests.sample_company.reading import newest, story_customers

LAST_DAY = "2026-06-30"
Rows = list[dict[str, str | None]]


def by(rows: Rows, key: str) -> dict[str | None, dict[str, str | None]]:
    return {row[key]: row for row in rows}


def moment(text: str | None) -> datetime:
    return datetime.fromisoformat(text or "")


def lines_with_orders(folder: Path) -> Rows:
    orders = by(newest(folder, "orders"), "order_id")
    return [orders[line["order_id"]] | line for line in newest(folder, "order_lines")]


def services_with_lines(folder: Path) -> Rows:
    lines = by(lines_with_orders(folder), "order_line_id")
    services = newest(folder, "services")
    found: Rows = []
    for service in services:
        line = lines.get(service["order_line_id"], {})
        found.append({f"line_{name}": value for name, value in line.items()} | service)
    return found


def trial_with_price(folder: Path) -> Rows:
    lines = lines_with_orders(folder)
    return [row for row in lines if row["kind"] == "trial" and float(row["amount"] or 0) > 0]


def trial_without_end(folder: Path) -> Rows:
    lines = lines_with_orders(folder)
    return [row for row in lines if row["kind"] == "trial" and not row["term_end"]]


def approved_by_sales(folder: Path) -> Rows:
    return [row for row in newest(folder, "orders") if row["approver_role"] == "sales"]


def slow_approval(folder: Path) -> Rows:
    orders = [row for row in newest(folder, "orders") if row["approved_at"]]
    lag = timedelta(days=30)
    return [row for row in orders if moment(row["approved_at"]) - moment(row["signed_at"]) > lag]


def opened_by_hand(folder: Path) -> Rows:
    return [row for row in newest(folder, "services") if row["opened_by"] == "manual"]


def changed_by_hand(folder: Path) -> Rows:
    services = [row for row in services_with_lines(folder) if row["order_line_id"]]
    return [row for row in services if row["quantity"] != row["line_quantity"]]


def not_opened(folder: Path) -> Rows:
    """The line has terms in truth and no service in the files."""
    terms = pl.read_parquet(folder / "truth/terms.parquet").select("key", "delivered_customer_id")
    opened = {row["order_line_id"] for row in newest(folder, "services")}
    return [
        {"customer_id": customer_id}
        for key, customer_id in terms.rows()
        if key.startswith("SO-") and key not in opened
    ]


def extended(folder: Path) -> Rows:
    """The service ends after the last day of its line's terms in truth."""
    terms = pl.read_parquet(folder / "truth/terms.parquet").drop_nulls("effective_end")
    ends = dict(terms.group_by("key").agg(pl.col("effective_end").max()).rows())
    return [
        row
        for row in newest(folder, "services")
        if row["ends_on"]
        and date.fromisoformat(row["ends_on"]) > ends.get(row["order_line_id"], date.max)
    ]


def active_unapproved(folder: Path) -> Rows:
    services = [row for row in services_with_lines(folder) if row["order_line_id"]]
    return [row for row in services if row["state"] == "active" and not row["line_approved_at"]]


def active_cancelled(folder: Path) -> Rows:
    services = services_with_lines(folder)
    cancelled = [row for row in services if row.get("line_status") == "cancelled"]
    return [row for row in cancelled if row["state"] == "active"]


def two_csms(folder: Path) -> Rows:
    owners = [row for row in newest(folder, "ownerships") if row["role"] == "csm"]
    open_ = [row for row in owners if not row["valid_to"]]
    customers = [row["customer_id"] for row in open_]
    return [row for row in open_ if customers.count(row["customer_id"]) > 1]


def missing_rate(folder: Path) -> Rows:
    """No rate of the order's currency on the day of the order."""
    first = {"EUR": ""}
    for row in newest(folder, "exchange_rates"):
        currency, day = row["currency"] or "", row["rate_date"] or ""
        first[currency] = min(day, first.get(currency, day))
    orders = newest(folder, "orders")
    return [row for row in orders if (row["ordered_at"] or "") < first[row["currency"] or ""]]


def quota(folder: Path) -> Rows:
    lines = lines_with_orders(folder)
    calls = [row for row in lines if row["product_id"] == "API-CALLS"]
    return [row for row in calls if float(row["quantity"] or 0) > 0]


def beyond_entitlement(folder: Path) -> Rows:
    """Uses of a feature on a day on which nothing that was bought entitles to it."""
    terms = pl.read_parquet(folder / "truth/terms.parquet")
    entitlements = newest(folder, "feature_entitlements")
    allowed = {
        (customer_id, row["feature"], day)
        for customer_id, product_id, start, end in terms.select(
            "customer_id", "product_id", "term_start", "effective_end"
        ).rows()
        for row in entitlements
        if row["product_id"] == product_id
        for since in [max(start, date.fromisoformat(row["valid_from"] or ""))]
        for day in pl.date_range(since, max(since, end or date(2026, 7, 1)), eager=True)
    }
    used = events(folder).filter(~pl.col("module").is_in(BASE))
    rows = used.select("account_no", "module", "day").unique().rows()
    return [{"customer_id": row[0]} for row in rows if row not in allowed]


def used_after_end(folder: Path) -> Rows:
    """Uses more than a week after the last of all terms."""
    terms = pl.read_parquet(folder / "truth/terms.parquet")
    ends = terms.group_by("customer_id").agg(
        pl.col("effective_end").fill_null(date(2026, 7, 1)).max()
    )
    by_use = {row["order_line_id"] for row in newest(folder, "order_lines")
              if row["product_id"] == "API-CALLS"}  # fmt: skip
    calls = {row["customer_id"] for row in newest(folder, "services")
             if row["order_line_id"] in by_use}  # fmt: skip
    late = (
        events(folder)
        .join(ends, left_on="account_no", right_on="customer_id")
        .filter(pl.col("day") > pl.col("effective_end") + timedelta(days=7))
    )
    return [{"customer_id": who} for who in late["account_no"].unique() if who not in calls]


def tenant_unknown(folder: Path) -> Rows:
    known = {row["tenant_id"] for row in newest(folder, "tenants")}
    used = pl.read_parquet(folder / "inbox/product/*.parquet")["workspace"].unique()
    return [{"customer_id": f"C{name[2:8]}"} for name in used if name not in known]


def tenant_late(folder: Path) -> Rows:
    late = pl.read_csv(folder / f"inbox/accounts/workspaces-{LAST_DAY}.csv")
    return [{"customer_id": customer_id} for customer_id in late["account_no"]]


def shared_user(folder: Path) -> Rows:
    """Users at work for two customers: listed with one, found with the other too."""
    used = events(folder).filter(pl.col("actor").is_not_null())
    pairs = used.select("actor", "account_no").unique()
    homes = by(newest(folder, "tenants"), "tenant_id")
    listed = {
        row["user_id"]: homes[row["tenant_id"]]["customer_id"]
        for row in newest(folder, "product_users")
        if row["tenant_id"] in homes
    }
    merged = {
        row["customer_id"]: row["merged_into_customer_id"] or row["customer_id"]
        for row in newest(folder, "customers")
    }
    return [
        {"customer_id": customer_id}
        for actor, customer_id in pairs.rows()
        if merged[listed.get(actor, customer_id)] != customer_id
    ]


def events(folder: Path) -> pl.DataFrame:
    """Web events of known tenants with their (surviving) customer and their day in Berlin."""
    tenants = pl.read_csv(folder / "inbox/accounts/workspaces-*.csv")
    accounts = pl.read_csv(folder / f"inbox/crm/accounts-{LAST_DAY}.csv", infer_schema=False)
    merged = accounts.select("account_no", "merged_into_account_no").drop_nulls()
    return (
        pl.read_parquet(folder / "inbox/product/*.parquet")
        .filter((pl.col("action") != "notification_sent") & (pl.col("ts").dt.year() > 2000))
        .join(tenants, on="workspace")
        .join(merged, on="account_no", how="left")
        .with_columns(
            account_no=pl.coalesce("merged_into_account_no", "account_no"),
            day=pl.col("ts").dt.convert_time_zone("Europe/Berlin").dt.date(),
        )
    )


FINDERS: tuple[Callable[[Path], Rows], ...] = (
    trial_with_price, trial_without_end, approved_by_sales, slow_approval, opened_by_hand,
    changed_by_hand, not_opened, extended, active_unapproved, active_cancelled, used_after_end,
    beyond_entitlement, two_csms, quota, missing_rate, tenant_unknown, tenant_late, shared_user,
)  # fmt: skip


@pytest.mark.parametrize("find", FINDERS, ids=lambda find: find.__name__)
def test_a_fault_is_found_at_the_one_customer_that_lives_it(
    sample: Path, find: Callable[[Path], Rows]
) -> None:
    rows = find(sample)
    orders = by(newest(sample, "orders"), "order_id") if rows else {}
    found = {row.get("customer_id") or orders[row["order_id"]]["customer_id"] for row in rows}
    assert sorted(found) == story_customers(sample, find.__name__)


def test_every_fault_has_a_finder() -> None:
    assert {find.__name__ for find in FINDERS} == set(FAULT_STORIES)


def test_the_access_log_shows_two_without_the_role_and_one_who_had_left(sample: Path) -> None:
    employees = by(newest(sample, "employees"), "employee_id")
    entries = newest(sample, "access_log")
    wrong = [e for e in entries if employees[e["employee_id"]]["role"] != e["allowed_role"]]
    gone = [
        entry
        for entry in entries
        if (left_on := employees[entry["employee_id"]]["left_on"])
        and (entry["occurred_at"] or "") > left_on
    ]
    assert (len(wrong), len(gone)) == (2, 1)
