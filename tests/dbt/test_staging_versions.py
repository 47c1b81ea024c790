"""Versions of a row: which is newest, since when it was known, and when a vanished row closes."""

from __future__ import annotations

from typing import Any

from tests.warehouse import run_models

NIGHT = "2024-03-31"


def batch(number: int, delivered_on: str, delivery: str = "full", **more: Any) -> dict[str, Any]:
    return {
        "batch_id": f"b{number}",
        "entity": "contacts",
        "source": "crm",
        "delivery": delivery,
        "file_name": f"contacts-{delivered_on}.csv",
        "delivered_on": delivered_on,
        "known_at": f"{delivered_on}T23:00:00Z",
        "batch_order": number,
        "row_count": 1,
        "is_first_load": number == 1,
    } | more


def contact(number: int, role: str, known_at: str, version_at: str, **more: Any) -> dict[str, Any]:
    return {
        "contact_id": "c",
        "customer_id": "a",
        "role": role,
        "_known_at": known_at,
        "_version_at": version_at,
        "_batch_id": f"b{number}",
        "_source": "crm",
        "_file_name": f"contacts-{number}.csv",
    } | more


def versions(
    contacts: list[dict[str, Any]], batches: list[dict[str, Any]], night: str = NIGHT
) -> list[tuple[Any, ...]]:
    """(role, day known from, day known to, day vanished) in order."""
    connection = run_models({"contacts": contacts}, night, ["stg_crm__contacts"], batches=batches)
    return connection.execute(
        """
        select
            role,
            known_from::date::varchar,
            known_to::date::varchar,
            vanished_at::date::varchar
        from night.staging.stg_crm__contacts
        where contact_id = 'c'
        order by known_from
        """
    ).fetchall()


def test_each_change_is_a_version_that_ends_when_the_next_is_known():
    found = versions(
        [
            contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
            contact(2, "boss", "2024-02-01T12:00:00Z", "2024-02-01"),
        ],
        [batch(1, "2024-01-01"), batch(2, "2024-02-01")],
    )
    assert found == [
        ("buyer", "2024-01-01", "2024-02-01", None),
        ("boss", "2024-02-01", None, None),
    ]


def test_identical_versions_running_are_one_and_keep_the_first_day_they_were_known():
    found = versions(
        [
            contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
            contact(2, "buyer", "2024-02-01T12:00:00Z", "2024-02-01"),
            contact(3, "buyer", "2024-03-01T12:00:00Z", "2024-03-01"),
        ],
        [batch(1, "2024-01-01"), batch(2, "2024-02-01"), batch(3, "2024-03-01")],
    )
    assert found == [("buyer", "2024-01-01", None, None)]


def test_a_value_that_comes_back_is_a_version_of_its_own():
    found = versions(
        [
            contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
            contact(2, "boss", "2024-02-01T12:00:00Z", "2024-02-01"),
            contact(3, "buyer", "2024-03-01T12:00:00Z", "2024-03-01"),
        ],
        [batch(1, "2024-01-01"), batch(2, "2024-02-01"), batch(3, "2024-03-01")],
    )
    assert [role for role, *_ in found] == ["buyer", "boss", "buyer"]


def test_an_older_file_that_comes_late_does_not_become_the_newest():
    batches = [batch(1, "2024-01-01"), batch(2, "2024-02-01"), batch(3, "2024-03-01")]
    batches[1]["known_at"] = "2024-03-10T23:00:00Z"
    found = versions(
        [
            contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
            contact(3, "boss", "2024-03-01T12:00:00Z", "2024-03-01"),
            contact(2, "clerk", "2024-03-10T12:00:00Z", "2024-02-01"),
        ],
        batches,
    )
    assert found == [
        ("buyer", "2024-01-01", "2024-03-01", None),
        ("boss", "2024-03-01", None, None),
    ]


def test_a_late_older_file_that_says_the_same_leaves_the_day_of_knowledge_alone():
    """The older file came later: the value was known from the newer file on."""
    found = versions(
        [
            contact(2, "boss", "2024-02-01T12:00:00Z", "2024-02-01"),
            contact(1, "boss", "2024-03-10T12:00:00Z", "2024-01-01"),
        ],
        [batch(1, "2024-01-01"), batch(2, "2024-02-01")],
    )
    assert found == [("boss", "2024-02-01", None, None)]


def test_the_update_time_of_the_source_goes_before_the_order_of_the_files():
    found = versions(
        [
            contact(1, "boss", "2024-01-02T12:00:00Z", "2024-01-20T09:00:00Z"),
            contact(2, "buyer", "2024-02-01T12:00:00Z", "2024-01-10T09:00:00Z"),
        ],
        [batch(1, "2024-01-01"), batch(2, "2024-02-01")],
    )
    assert found == [("boss", "2024-01-02", None, None)]


def test_a_vanished_row_is_closed_not_deleted():
    found = versions(
        [
            contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
            contact(2, "buyer", "2024-02-01T12:00:00Z", "2024-02-01"),
        ],
        [batch(1, "2024-01-01"), batch(2, "2024-02-01"), batch(3, "2024-03-01")],
    )
    assert found == [("buyer", "2024-01-01", None, "2024-03-01")]


def test_a_delivery_of_changes_makes_nothing_vanish():
    found = versions(
        [contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01")],
        [batch(1, "2024-01-01"), batch(2, "2024-02-01", delivery="changes")],
    )
    assert found == [("buyer", "2024-01-01", None, None)]


def test_a_row_last_seen_among_changes_vanishes_with_the_next_full_delivery():
    found = versions(
        [
            contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
            contact(2, "boss", "2024-02-01T12:00:00Z", "2024-02-01"),
        ],
        [
            batch(1, "2024-01-01"),
            batch(2, "2024-02-01", delivery="changes"),
            batch(3, "2024-03-01"),
        ],
    )
    assert found[-1] == ("boss", "2024-02-01", None, "2024-03-01")


def test_a_row_that_comes_back_opens_again():
    found = versions(
        [
            contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
            contact(2, "buyer", "2024-01-15T12:00:00Z", "2024-01-15"),
            contact(4, "buyer", "2024-03-01T12:00:00Z", "2024-03-01"),
        ],
        [
            batch(1, "2024-01-01"),
            batch(2, "2024-01-15"),
            batch(3, "2024-02-01"),
            batch(4, "2024-03-01"),
        ],
    )
    assert found == [
        ("buyer", "2024-01-01", "2024-03-01", "2024-02-01"),
        ("buyer", "2024-03-01", None, None),
    ]


def test_a_row_that_another_source_still_has_is_not_gone():
    contacts = [
        contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
        contact(2, "buyer", "2024-01-02T12:00:00Z", "2024-01-02", _source="help_desk"),
    ]
    batches = [
        batch(1, "2024-01-01"),
        batch(2, "2024-01-02", source="help_desk"),
        batch(3, "2024-02-01"),
    ]
    assert versions(contacts, batches)[-1][3] is None


def test_what_was_known_after_the_night_is_not_there():
    contacts = [
        contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
        contact(2, "boss", "2024-02-01T12:00:00Z", "2024-02-01"),
    ]
    batches = [batch(1, "2024-01-01"), batch(2, "2024-02-01"), batch(3, "2024-03-01")]
    assert versions(contacts, batches, night="2024-01-31") == [("buyer", "2024-01-01", None, None)]
    assert versions(contacts, batches, night="2024-02-15")[-1] == ("boss", "2024-02-01", None, None)


def test_descriptions_of_the_first_load_are_carried_back_and_later_ones_are_not():
    connection = run_models(
        {
            "contacts": [
                contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
                contact(2, "boss", "2024-02-01T12:00:00Z", "2024-02-01"),
                contact(2, "new", "2024-02-01T12:00:00Z", "2024-02-01", contact_id="d"),
            ]
        },
        NIGHT,
        ["stg_crm__contacts"],
        batches=[batch(1, "2024-01-01", "changes"), batch(2, "2024-02-01", "changes")],
    )
    found = connection.execute(
        "select role, described_from::date::varchar from night.staging.stg_crm__contacts order by 1"
    ).fetchall()
    assert found == [("boss", "2024-02-01"), ("buyer", "1990-01-01"), ("new", "2024-02-01")]


def test_versions_do_not_depend_on_the_order_in_which_rows_are_read():
    contacts = [
        contact(1, "buyer", "2024-01-01T12:00:00Z", "2024-01-01"),
        contact(2, "boss", "2024-02-01T12:00:00Z", "2024-02-01"),
        contact(3, "boss", "2024-03-01T12:00:00Z", "2024-03-01"),
    ]
    batches = [batch(number, f"2024-0{number}-01") for number in (1, 2, 3)]
    assert versions(contacts, batches) == versions(contacts[::-1], batches[::-1])
