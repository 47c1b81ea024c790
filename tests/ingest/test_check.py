"""Looking without landing: what a night would do, and how far the data reach."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ingest.check import RowProblem, check_sources
from ingest.horizon import latest_data, latest_landed
from tests.ingest.conftest import NOW


def test_check_says_what_a_night_would_do_and_writes_nothing(door: Any) -> None:
    columns = {"name": "label", "segment": {"sql": "upper(size)"}, "region": {"value": "EU"}}
    door.source(
        entities={
            "customers": {"files": "customers*", "columns": columns},
            "contacts": {"files": "contacts*"},
        }
    )
    door.drop("customers.csv", "customer_id,label,size,extra\n1,A,s,x\n,B,s,x\n")
    seen = check_sources(door.config, door.company, NOW)
    (file,) = seen.files
    assert (file.report.delivered, file.report.accepted, file.report.quarantined) == (2, 1, 1)
    assert file.mapped == {"name": "label", "segment": "sql: upper(size)", "region": "value: EU"}
    assert file.report.unmapped == ("extra",)
    assert file.problems == (RowProblem(3, "customer_id", "is empty"),)
    assert "contacts: no file found" in seen.alarms[0]
    assert not door.home.exists()


def test_check_shows_why_most_rows_are_bad(door: Any) -> None:
    door.drop("customers.csv", "customer_id,is_reference\n1,?\n2,?\n")
    (file,) = check_sources(door.config, door.company, NOW).files
    assert file.report.status == "refused"
    assert [problem.line for problem in file.problems] == [2, 3]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("1,?,x,C1\n", "has 1 bad rows of 1"),
        ("", "has no rows"),
    ],
)
def test_a_refused_file_names_what_is_not_mapped(door: Any, rows: str, reason: str) -> None:
    door.drop("customers.csv", "customer_id,is_reference,extra,Konto\n" + rows)
    (file,) = check_sources(door.config, door.company, NOW).files
    assert file.report.status == "refused"
    assert reason in str(file.report.reason)
    assert file.report.unmapped == ("Konto", "extra")


def test_a_file_that_lacks_a_column_names_those_it_could_be_read_from(door: Any) -> None:
    mapping = {
        "files": "customers.csv",
        "where": "kind <> 'test'",
        "columns": {"customer_id": "id", "name": {"sql": "upper(label)"}},
    }
    door.source(entities={"customers": mapping})
    door.drop("customers.csv", "Kundennr,label,kind,segment\n1,A,s,x\n")
    (file,) = check_sources(door.config, door.company, NOW).files
    assert "has no column 'id' (our customer_id)" in str(file.report.reason)
    assert file.report.unmapped == ("Kundennr",)


def test_data_reach_to_their_last_delivery_or_occurrence(door: Any) -> None:
    door.source(
        entities={
            "customers": {"files": "customers*"},
            "interactions": {"files": "talks*"},
            "subscriptions": {"files": "subs*"},
        }
    )
    subs = "subscription_id,customer_id,term_start,mrr\n1,1,2024-04-01,5\n"
    talks = "interaction_id,customer_id,occurred_at\n1,1,2024-03-02T23:30:00Z\n"
    for name, text, day in (
        ("nothing", "", None),
        ("subs.csv", subs, date(2024, 4, 1)),
        ("talks.csv", talks, date(2024, 3, 2)),
        ("customers_2024-05-01.csv", "customer_id\n1\n", date(2024, 5, 1)),
    ):
        door.drop(name, text)
        assert latest_data(door.config, door.home, door.company, NOW) == day
    door.nights()
    assert latest_landed(door.home, door.company, NOW) == date(2024, 5, 1)
    assert latest_data(door.config, door.home, door.company, NOW) == date(2024, 5, 1)
