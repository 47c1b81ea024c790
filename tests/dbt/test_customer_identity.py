"""Who is who: merges, identities of other systems, descriptions as they were known."""

from __future__ import annotations

from typing import Any

import duckdb

from tests.warehouse import run_models

NIGHT = "2024-03-31"
CREATED = "2023-01-01T00:00:00Z"


def customer(customer_id: str, **more: Any) -> dict[str, Any]:
    return {"customer_id": customer_id, "created_at": CREATED} | more


def subscription(customer_id: str, **more: Any) -> dict[str, Any]:
    return {
        "subscription_id": f"s-{customer_id}",
        "customer_id": customer_id,
        "term_start": "2024-01-01",
        "term_end": "2025-01-01",
        "mrr": 100,
    } | more


def resolve(**raw: Any) -> dict[str, str]:
    connection = run_models(raw, NIGHT, ["int_customers_resolved"])
    found = connection.execute(
        "select customer_id, resolved_customer_id from night.intermediate.int_customers_resolved"
    )
    return dict(found.fetchall())


def test_a_merge_is_followed_through_other_merges():
    chain = [
        customer(f"c{number}", merged_into_customer_id=f"c{number + 1}") for number in range(12)
    ]
    found = resolve(customers=[*chain, customer("c12")])
    assert set(found.values()) == {"c12"}


def test_customers_merged_in_a_circle_stay_themselves():
    found = resolve(
        customers=[
            customer("a", merged_into_customer_id="b"),
            customer("b", merged_into_customer_id="c"),
            customer("c", merged_into_customer_id="a"),
            customer("d", merged_into_customer_id="b"),
        ]
    )
    assert found == {"a": "a", "b": "b", "c": "c", "d": "d"}


def test_a_customer_that_only_orders_know_is_a_customer():
    found = resolve(customers=[customer("a")], subscriptions=[subscription("b")])
    assert found == {"a": "a", "b": "b"}


def test_an_id_of_another_system_stands_for_the_customer_it_is_mapped_to():
    found = resolve(
        customers=[customer("a"), customer("old", merged_into_customer_id="a")],
        customer_ids=[
            {"source": "billing", "source_id": "4711", "customer_id": "old"},
            {"source": "billing", "source_id": "12", "customer_id": "a"},
            {"source": "help", "source_id": "12", "customer_id": "other"},
        ],
        subscriptions=[subscription("4711"), subscription("12")],
    )
    assert found["4711"] == "a"
    assert found["12"] == "12", "two systems mean different customers: nobody can tell"


def test_what_is_known_of_a_merged_customer_belongs_to_the_one_that_stays():
    connection = run_models(
        {
            "customers": [customer("a", name="A"), customer("b", merged_into_customer_id="a")],
            "subscriptions": [subscription("b")],
            "tickets": [{"ticket_id": "t", "customer_id": "b", "opened_at": "2024-03-01"}],
        },
        NIGHT,
        ["customer_signals"],
    )
    found = connection.execute(
        """
        select customer_id, open_ticket_count, mrr::int from night.contract.customer_signals
        where as_of_date = '2024-03-31'
        """
    ).fetchall()
    assert found == [("a", 1, 100)]


def described(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute(
        """
        select customer_id, segment, described_from::date::varchar, known_to::date::varchar,
            is_in_crm
        from night.intermediate.int_customers_described order by 1, 3
        """
    ).fetchall()


def test_descriptions_are_carried_back_from_the_first_load_and_change_when_they_were_known():
    connection = run_models(
        {
            "customers": [
                customer("a", segment="small"),
                customer("a", segment="large", _known_at="2024-02-01", _version_at="2024-02-01"),
            ],
            "subscriptions": [subscription("b")],
        },
        NIGHT,
        ["int_customers_described"],
    )
    assert described(connection) == [
        ("a", "small", "1990-01-01", "2024-02-01", True),
        ("a", "large", "2024-02-01", None, True),
        ("b", None, "1990-01-01", None, False),
    ]


def test_signal_dates_are_tonight_last_night_and_past_sundays_since_the_first_fact():
    connection = run_models(
        {"subscriptions": [subscription("a", term_start="2024-03-11")]},
        "2024-03-31",  # a Sunday: tonight itself, and not a past date again
        ["int_signal_dates"],
        previous_night="2024-03-28",
    )
    found = connection.execute(
        """
        select as_of_date::varchar, known_on::varchar, known_until::varchar
        from night.intermediate.int_signal_dates order by known_on, as_of_date
        """
    ).fetchall()
    assert found == [
        ("2024-03-17", "2024-03-17", "2024-03-17 23:59:59.999999+00"),
        ("2024-03-24", "2024-03-24", "2024-03-24 23:59:59.999999+00"),
        ("2024-03-28", "2024-03-31", "2024-03-31 23:59:59.999999+00"),
        ("2024-03-31", "2024-03-31", "2024-03-31 23:59:59.999999+00"),
    ]
