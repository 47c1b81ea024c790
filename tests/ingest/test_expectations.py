"""Great Expectations at the front door: batches are compared with those before them."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from typing import Any

import pytest

from ingest.expectations import guard_batches


def test_without_new_batches_the_library_is_not_even_imported(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    assert guard_batches(door.home, door.config) == ()


@pytest.mark.xdist_group("great_expectations")
def test_a_batch_that_strays_from_those_before_it_is_reported(door: Any) -> None:
    door.source(
        entities={
            "customers": {"files": "customers*", "delivery": "full", "blocking": True},
            "product_events": {"files": "events*"},
        },
        limits={"max_deleted_share": 1},
    )
    for week in range(5):
        night = date(2024, 5, 1) + timedelta(weeks=week)
        named, count = ("Ada", 20) if week < 4 else ("", 2)
        rows = "".join(f"{n},{named}\n" for n in range(count))
        door.drop(f"customers_{night}.csv", "customer_id,name\n" + rows)
        for day, events in ((night, count), (night - timedelta(days=1), 2)):
            lines = "".join(f"{day}T10:00:{n:02}Z,1,login\n" for n in range(events))
            door.drop(f"events_{day}.csv", "occurred_at,customer_id,event_name\n" + lines)
        door.nights(str(night))

    tonight = guard_batches(door.home, door.config, admitted_on=date(2024, 5, 29))
    failed = {
        (result.entity, result.name, result.severity) for result in tonight if not result.success
    }
    assert failed == {
        ("customers", "volume", "error"),
        ("customers", "name filled", "error"),
        ("product_events", "volume", "warn"),
    }
    assert any("2 rows, where about 20 are usual" in result.detail for result in tonight)
    assert all(
        r.success for r in guard_batches(door.home, door.config, admitted_on=date(2024, 5, 22))
    )
