"""Product events: every use counts once, however files overlap and whichever comes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

HEAD = "occurred_at,customer_id,user_id,event_name\n"
A = "2024-05-01T10:00:00Z,1,u,login\n"
B = "2024-05-01T11:00:00Z,1,u,login\n"
C = "2024-05-02T10:00:00Z,1,v,login\n"
FACTS = "select occurred_at, event_id, user_id from raw.product_events order by all"


@pytest.fixture
def events(new_door: Callable[[str], Any]) -> Callable[[str], Any]:
    def make(name: str) -> Any:
        door = new_door(name)
        door.source(entities={"product_events": {"files": "events*"}})
        return door

    return make


def test_exact_repeats_within_a_file_are_uses_all_the_same(events: Any) -> None:
    door = events("one")
    door.drop("events.csv", HEAD + A + A + B)
    report = door.night(entity="product_events")
    assert (report.accepted, report.duplicate) == (3, 0)


def test_a_batch_adds_only_what_stands_more_often_in_it_in_either_order(events: Any) -> None:
    files = {"events1.csv": HEAD + A + A + B, "events2.csv": HEAD + A + A + A + C}
    seen = []
    for order in (["events1.csv", "events2.csv"], ["events2.csv", "events1.csv"]):
        door = events("-".join(order))
        counts = []
        for name in order:
            door.drop(name, files[name])
            report = door.night(entity="product_events")
            assert report.delivered == report.accepted + report.duplicate
            counts.append(report.accepted)
        assert sum(counts) == 5
        seen.append(door.rows(FACTS))
    assert seen[0] == seen[1]
    assert len(seen[0]) == 5


def test_an_event_with_an_id_counts_once_within_and_across_files(events: Any) -> None:
    head = "event_id," + HEAD
    door = events("ids")
    door.drop("events1.csv", head + "x," + A + "x," + A + "y," + A + "," + B + "," + B)
    door.drop("events2.csv", head + "x," + A + "z," + A + "," + B)
    report = door.night(entity="product_events")
    assert [(file.accepted, file.duplicate) for file in report.files] == [(4, 1), (1, 2)]


def test_other_values_under_an_id_of_the_same_file_are_no_repeats(events: Any) -> None:
    door = events("rivals")
    door.drop("events1.csv", "event_id," + HEAD + "x," + A + "x," + B + "y," + A)
    door.drop("events2.csv", "event_id," + HEAD + "x," + A + "x," + B)
    report = door.night(entity="product_events")
    counts = [(file.accepted, file.quarantined, file.duplicate) for file in report.files]
    assert counts == [(2, 1, 0), (0, 1, 1)]
    ((_, column, reason), again) = door.quarantine("product_events")
    assert column == again[1] == "event_id"
    assert "has the same key and other values" in reason


def test_the_newest_values_of_an_event_that_tells_its_changes_are_kept(events: Any) -> None:
    door = events("changed")
    head = "event_id,updated_at," + HEAD
    later = "x,2024-05-04T00:00:00Z,2024-05-01T10:00:00Z,1,late,login\n"
    door.drop("events.csv", head + later + "x,2024-05-03T00:00:00Z," + A)
    (file,) = door.night(entity="product_events").files
    assert (file.accepted, file.quarantined, file.duplicate) == (1, 0, 1)
    assert door.rows("select user_id from raw.product_events") == [("late",)]


def test_of_events_delivered_whole_each_time_the_next_file_adds_the_new_ones(events: Any) -> None:
    door = events("full")
    door.source(entities={"product_events": {"files": "events*", "delivery": "full"}})
    door.drop("events_2024-05-01.csv", HEAD + A + B)
    door.drop("events_2024-05-02.csv", HEAD + A + B + C)
    report = door.night(entity="product_events")
    assert [file.reason for file in report.files] == [None, None]
    assert [(file.accepted, file.duplicate) for file in report.files] == [(2, 0), (1, 2)]


def test_events_of_another_time_are_not_even_looked_up(
    events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = events("far")
    door.drop("events1.csv", HEAD + A + B)
    door.night(entity="product_events")
    (rows,) = door.home.glob("landing/product_events/*/rows.parquet")
    rows.chmod(0o600)
    rows.write_bytes(b"unreadable")
    door.drop("events2.csv", HEAD + C)
    assert door.night(entity="product_events").accepted == 1


def test_the_same_events_under_another_day_are_repeated(events: Any) -> None:
    door = events("again")
    door.drop("events_2024-05-02.csv", HEAD + A + B)
    door.night(entity="product_events")
    door.drop("events_2024-05-03.csv", HEAD + A + B)
    assert door.night(entity="product_events").files[0].status == "repeated"


def test_bad_events_are_quarantined_by_line(events: Any) -> None:
    door = events("bad")
    door.drop("events.csv", HEAD + A + "never,1,u,login\n" + B + "2024-05-01,,u,login\n")
    report = door.night(entity="product_events")
    assert (report.accepted, report.quarantined) == (2, 2)
    assert door.quarantine("product_events") == [
        (3, "occurred_at", "not a timestamp: never"),
        (5, "customer_id", "needs tenant_id or customer_id"),
    ]


def test_a_large_event_file_is_not_kept_as_received(
    events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.landing.KEPT_EVENT_BYTES", 10)
    door = events("large")
    door.drop("events.csv", HEAD + A)
    assert door.night(entity="product_events").accepted == 1
    assert not list((door.home / "landing").glob("_raw/*"))
