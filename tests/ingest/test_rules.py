"""Row rules: a row that breaks its contract is refused with line, column and reason."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.conftest import FrontDoor

ORDERS = "order_id,customer_id,ordered_at,kind,status,currency\n"
GOOD = "1,1,2024-01-01T00:00:00Z,formal,approved,EUR\n"


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",1,2024-01-01T00:00:00Z,formal,approved,EUR", "order_id", "is empty"),
        ("2,1,,formal,approved,EUR", "ordered_at", "is empty"),
        ("2,1,yesterday,formal,approved,EUR", "ordered_at", "not a timestamp: yesterday"),
        ("2,1,2024-01-01T00:00:00Z,gift,approved,EUR", "kind", "is none of trial, formal: gift"),
        ("2,1,2024-06-02T00:00:01Z,formal,approved,EUR", "ordered_at", "lies in the future"),
        ("2,1,2009-12-31T00:00:00Z,formal,approved,EUR", "ordered_at", "company.started_on"),
        ("2,1,2024-01-01T00:00:00Z,formal,approved,XYZ", "currency", "no exchange rate: XYZ"),
        ("2,1,2024-01-01T00:00:00Z,formal,approved", None, "has 5 fields, the header has 6"),
        ("2,1,2024-01-01T00:00:00Z,formal,approved,EUR,", None, "has 7 fields, the header has 6"),
    ],
)
def test_a_row_that_breaks_its_contract_is_refused_and_the_others_load(
    door: Any, row: str, column: str | None, reason: str
) -> None:
    door.source(entities={"orders": {"files": "orders*"}})
    door.drop("orders.csv", ORDERS + GOOD + row + "\n")
    report = door.night(entity="orders")
    assert (report.delivered, report.accepted, report.quarantined) == (2, 1, 1)
    ((line, found, why),) = door.quarantine("orders")
    assert (line, found) == (3, column)
    assert reason in why


def test_a_moment_within_a_day_after_landing_is_no_future(door: Any) -> None:
    door.source(entities={"orders": {"files": "orders*"}})
    door.drop("orders.csv", ORDERS + "2,1,2024-06-01T23:00:00Z,formal,approved,EUR\n")
    assert door.night(entity="orders").accepted == 1


def test_the_refused_row_is_kept_as_it_came(door: Any) -> None:
    door.source(entities={"orders": {"files": "orders*"}})
    door.drop("orders.csv", ORDERS + GOOD + "2,1,?,formal,approved,EUR\n")
    door.night(entity="orders")
    (path,) = (door.home / "quarantine" / "orders").glob("*.parquet")
    with duckdb.connect() as connection:
        rows = connection.execute("select source, file_name, raw from read_parquet(?)", [str(path)])
        assert rows.fetchall() == [
            (
                "crm",
                "orders.csv",
                '{"order_id":"2","customer_id":"1","ordered_at":"?","kind":"formal",'
                '"status":"approved","currency":"EUR"}',
            )
        ]


def test_a_currency_is_known_once_its_rate_has_landed(door: Any) -> None:
    door.source(entities={"orders": {"files": "orders*"}, "exchange_rates": {"files": "rates*"}})
    assert door.config.entities() == ("exchange_rates", "orders")
    door.drop("orders.csv", ORDERS + "2,1,2024-01-01T00:00:00Z,formal,approved,USD\n")
    door.drop("rates.csv", "rate_date,currency,rate\n2024-01-01,USD,0.9\n2024-01-01,GBP,0\n")
    reports = door.nights()
    assert (reports["exchange_rates"].accepted, reports["orders"].accepted) == (1, 1)


def test_one_of_several_columns_must_be_filled(door: Any) -> None:
    door.source(entities={"subscriptions": {"files": "subs*"}})
    door.drop(
        "subs.csv",
        "subscription_id,customer_id,term_start,term_end,mrr,amount\n"
        "1,1,2024-01-01,,5,\n2,1,2024-01-01,,,60\n3,1,2024-01-01,,,\n"
        "4,1,2024-01-01,2023-01-01,5,\n",
    )
    assert door.night(entity="subscriptions").accepted == 2
    assert door.quarantine("subscriptions") == [
        (4, "mrr", "needs mrr or amount"),
        (5, "term_end", "term_end 2023-01-01 lies before term_start 2024-01-01"),
    ]


def test_payments_are_never_negative_wallet_entries_may_be(door: Any) -> None:
    door.source(
        entities={"payments": {"files": "payments*"}, "wallet_entries": {"files": "wallet*"}}
    )
    head = "payment_id,order_id,paid_at,amount,kind\n"
    door.drop("payments.csv", head + "1,1,2024-01-01,5,payment\n2,1,2024-01-01,-5,payment\n")
    door.drop("wallet.csv", "entry_id,customer_id,occurred_at,amount\n1,1,2024-01-01,-5\n")
    reports = door.nights()
    assert (reports["payments"].accepted, reports["wallet_entries"].accepted) == (1, 1)


def test_use_never_takes_less_than_no_time(door: Any) -> None:
    door.source(entities={"product_events": {"files": "events.csv"}})
    head = "customer_id,occurred_at,event_name,duration_seconds\n"
    rows = "1,2024-01-01,play,0\n1,2024-01-02,play,-9223372036854776\n"
    door.drop("events.csv", head + rows)
    assert door.night(entity="product_events").accepted == 1
    assert door.quarantine("product_events") == [
        (3, "duration_seconds", "is negative: -9223372036854776")
    ]


def test_a_row_whose_parent_is_not_there_yet_is_admitted(door: Any) -> None:
    door.source(entities={"tenants": {"files": "tenants*"}})
    door.drop("tenants.csv", "tenant_id,customer_id\na,nobody\n")
    assert door.night(entity="tenants").accepted == 1


FIELDS = st.sampled_from(["1", "2", "", "x", "2024-01-01", "true", '"a\nb"', '"', "12.5", "-1"])


@settings(max_examples=25)
@given(
    rows=st.lists(st.lists(FIELDS, min_size=1, max_size=4), min_size=1, max_size=12),
    delivery=st.sampled_from(["full", "changes"]),
)
def test_every_delivered_row_is_accepted_quarantined_or_a_duplicate(
    rows: list[list[str]], delivery: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        door = FrontDoor(Path(folder))
        mapping = {"files": "*", "delivery": delivery}
        door.source(entities={"customers": mapping}, limits={"max_bad_share": 1})
        text = "customer_id,employee_count,is_reference\n"
        door.drop("customers.csv", text + "".join(",".join(row) + "\n" for row in rows))
        report = door.night()
        for file in report.files:
            assert file.delivered == file.accepted + file.quarantined + file.duplicate
        assert door.rows("select count(*) from raw.customers") == [(report.accepted,)]
        if report.files[0].status == "landed":
            assert len(door.quarantine()) == report.quarantined
