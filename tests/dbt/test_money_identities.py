"""Every dbt test of the money models holds on random contract histories, at any night."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pytest

from tests.dbt.contract_histories import WITH_FRANCS, History
from tests.warehouse import compiled_manifest, run_models

FOLDERS = (
    "tests/money/",
    "models/marts/money/",
    "models/intermediate/money/",
    "models/marts/customer/customer_history.sql",
    "models/marts/customer/journey_transitions.sql",
    "models/marts/customer/_history__models.yml",
    "models/intermediate/service/int_customers_service_at_dates.sql",
)


def read_money_tests() -> dict[str, dict[str, Any]]:
    return {
        node["name"]: node
        for node in compiled_manifest()["nodes"].values()
        if node["resource_type"] == "test" and node["original_file_path"].startswith(FOLDERS)
    }


def read_money_models() -> list[str]:
    return [
        node["name"]
        for node in compiled_manifest()["nodes"].values()
        if node["resource_type"] == "model" and node["original_file_path"].startswith(FOLDERS)
    ]


def find_failures(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    found = {
        name: connection.execute(f"select * from ({node['compiled_code']}) limit 3").fetchall()
        for name, node in read_money_tests().items()
    }
    return {name: rows for name, rows in found.items() if rows}


def test_there_are_identities() -> None:
    assert {
        "assert_bridge_closes",
        "assert_movements_sum_to_mrr",
        "assert_mrr_gives_back_the_amount",
        "assert_terms_come_up_for_renewal_once",
        "assert_retention_stays_in_bounds",
        "assert_each_arr_is_spent_once",
        "assert_renewal_cohorts_hold_every_term_due",
        "assert_statuses_follow_without_gap",
        "assert_orders_are_delivered_and_paid_in_full",
        "assert_orders_hold_what_their_lines_say",
        "assert_history_follows_without_gap",
        "assert_history_ends_as_tonight",
    } <= set(read_money_tests())


@pytest.mark.parametrize("seed", range(3))
def test_identities_hold_on_any_history(seed: int) -> None:
    history, day = History(seed, customers=25, currencies=WITH_FRANCS), dt.date(2024, 9, 15)
    connection = run_models(history.known_by(day), day, read_money_models())
    assert connection.execute("select count(*) from night.main.renewals").fetchall() != [(0,)]
    assert find_failures(connection) == {}


def test_identities_hold_where_changes_are_taken_back() -> None:
    history, day = History(0, customers=40, taken_back=0.9), dt.date(2024, 9, 15)
    connection = run_models(history.known_by(day), day, read_money_models())
    ended_in_time = connection.execute("""
        select term_id
        from night.main.renewals inner join night.main.subscription_terms using (term_id)
        where is_known_late and known_at < matures_on
    """)
    assert ended_in_time.fetchall()
    assert find_failures(connection) == {}


def test_identities_hold_where_nothing_is_paid_by_the_month() -> None:
    line = {"product_id": "pro", "term_start": "2024-01-01", "term_end": "2025-01-01"}
    free = line | {"subscription_id": "s1", "customer_id": "free", "mrr": 0}
    for_ever = {"subscription_id": "s2", "customer_id": "for_ever", "amount": 900}
    unvalued = for_ever | {"subscription_id": "s3", "customer_id": "unvalued", "currency": "CHF"}
    rows = [free, *(line | {"term_end": None} | row for row in (for_ever, unvalued))]
    connection = run_models({"subscriptions": rows}, "2024-09-15", read_money_models())
    assert find_failures(connection) == {}


def test_identities_hold_on_nothing() -> None:
    assert find_failures(run_models({}, "2024-09-15", read_money_models())) == {}
