"""Files become batches: what lands, what is a repeat, what was known when."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

import ingest.admission
import ingest.files
import ingest.ledger
from ingest.raw_relations import active_batches, input_fingerprint

CUSTOMERS = "customer_id,name,segment,created_at\n1,Ada,large,2020-01-01\n2,Bo,small,2021-01-01\n"
ALL = "select * exclude (_batch_id, _line, _file_name) from raw.{} order by all"


def test_rows_land_typed_and_every_entity_has_its_relation(door: Any) -> None:
    door.drop("customers.csv", CUSTOMERS)
    report = door.night()
    assert (report.delivered, report.accepted, report.quarantined, report.duplicate) == (2, 2, 0, 0)
    assert door.rows("select customer_id, created_at, _line, _source from raw.customers") == [
        ("1", datetime(2020, 1, 1, tzinfo=UTC), 2, "crm"),
        ("2", datetime(2021, 1, 1, tzinfo=UTC), 3, "crm"),
    ]
    assert door.rows("select count(*) from raw.product_events") == [(0,)]
    assert door.rows(
        "select typeof(amount) from (select any_value(amount) amount from raw.payments)"
    ) == [("DECIMAL(20,6)",)]


def test_a_file_that_stays_in_the_inbox_is_no_news(door: Any) -> None:
    door.drop("customers.csv", CUSTOMERS)
    door.night()
    before = active_batches(door.home)
    assert door.night("2024-06-01").files == ()
    assert active_batches(door.home) == before
    assert door.rows("select status from raw.deliveries") == [("landed",)]


def test_a_touched_file_is_no_news(door: Any) -> None:
    door.drop("customers.csv", CUSTOMERS)
    door.night()
    door.drop("customers.csv", CUSTOMERS)
    assert door.night("2024-06-01").files == ()


def test_the_same_file_under_another_name_is_repeated_and_changes_nothing(door: Any) -> None:
    door.drop("customers.csv", CUSTOMERS)
    door.night()
    fingerprint = input_fingerprint(door.home)
    door.drop("customers_copy.csv", CUSTOMERS)
    report = door.night("2024-06-01")
    assert [(file.status, file.delivered, file.duplicate) for file in report.files] == [
        ("repeated", 2, 2)
    ]
    assert input_fingerprint(door.home) == fingerprint
    assert door.rows("select count(*) from raw.customers") == [(2,)]


def test_a_corrected_file_under_the_same_name_is_the_newer_version(door: Any) -> None:
    door.drop("customers.csv", CUSTOMERS)
    door.night("2024-05-30")
    door.drop("customers.csv", CUSTOMERS.replace("large", "huge"))
    door.night("2024-05-31")
    assert door.rows("""
        select segment, _known_at, batch_order from raw.customers
        inner join raw.batches on _batch_id = batch_id where customer_id = '1' order by batch_order
    """) == [
        ("large", datetime(2020, 1, 1, tzinfo=UTC), 1),
        ("huge", datetime(2024, 5, 31, 23, 59, 59, 999999, tzinfo=UTC), 2),
    ]


def test_content_that_comes_back_is_a_new_delivery(door: Any) -> None:
    for day, segment in (("2024-05-29", "a"), ("2024-05-30", "b"), ("2024-05-31", "a")):
        door.drop("customers.csv", CUSTOMERS.replace("large", segment))
        assert door.night(day).accepted == 2
    assert door.rows("""
        select segment from raw.customers inner join raw.batches on _batch_id = batch_id
        where customer_id = '1' order by batch_order
    """) == [("a",), ("b",), ("a",)]


def test_the_same_snapshot_of_another_day_is_another_delivery(door: Any) -> None:
    door.drop("customers_2024-05-01.csv", CUSTOMERS)
    door.drop("customers_2024-05-02.csv", CUSTOMERS)
    assert door.night().accepted == 4


def test_a_late_file_takes_its_place_by_its_day(door: Any) -> None:
    door.drop("customers_2024-05-01.csv", CUSTOMERS)
    door.drop("customers_2024-05-03.csv", CUSTOMERS.replace("large", "c"))
    door.night()
    door.drop("customers_2024-05-02.csv", CUSTOMERS.replace("large", "b"))
    door.night("2024-06-01")
    assert door.rows("""
        select segment, _known_at::date, batch_order from raw.customers
        inner join raw.batches on _batch_id = batch_id where customer_id = '1' order by batch_order
    """) == [
        ("large", date(2020, 1, 1), 1),
        ("b", date(2024, 5, 2), 2),
        ("c", date(2024, 5, 3), 3),
    ]


def test_the_order_in_which_files_arrive_does_not_matter(
    new_door: Callable[[str], Any],
) -> None:
    files = {
        "customers_2024-05-01.csv": CUSTOMERS,
        "customers_2024-05-02.csv": CUSTOMERS.replace("large", "b"),
        "customers_2024-05-03.csv": CUSTOMERS.replace("large", "c") + "3,Cy,large,2024-05-02\n",
    }
    seen = []
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        door = new_door("".join(map(str, order)))
        for place in order:
            name = list(files)[place]
            door.drop(name, files[name])
            door.night()
        seen.append((door.rows(ALL.format("customers")), input_fingerprint(door.home)))
    assert seen[0] == seen[1] == seen[2]


def test_ten_nights_missed_and_one_run_land_what_ten_nights_land(
    new_door: Callable[[str], Any],
) -> None:
    days = [f"2024-05-{day:02}" for day in range(1, 11)]
    nightly, missed = new_door("nightly"), new_door("missed")
    for door in (nightly, missed):
        door.source(
            entities={
                "customers": {"files": "customers*"},
                "product_events": {"files": "events*", "delivery": "changes"},
            }
        )
        for number, day in enumerate(days):
            segment = "large" if number % 3 else "small"
            door.drop(f"customers_{day}.csv", CUSTOMERS.replace("large", segment))
            # Each file brings its own day and what the day before sent late.
            late = f"{days[max(0, number - 1)]}T23:00:00Z,1,u2,login\n"
            head = "occurred_at,customer_id,user_id,event_name\n"
            door.drop(f"events_{day}.csv", f"{head}{day}T08:00:00Z,1,u1,login\n{late}")
            if door is nightly:
                door.nights(day)
    missed.nights(days[-1])
    for entity in ("customers", "product_events"):
        assert nightly.rows(ALL.format(entity)) == missed.rows(ALL.format(entity))
    assert input_fingerprint(nightly.home) == input_fingerprint(missed.home)


def test_names_of_files_do_not_change_the_fingerprint(new_door: Callable[[str], Any]) -> None:
    one, other = new_door("one"), new_door("other")
    one.drop("customers_a.csv", CUSTOMERS)
    other.drop("customers_b.csv", CUSTOMERS)
    one.night(), other.night()
    assert input_fingerprint(one.home) == input_fingerprint(other.home)


def test_a_first_load_knows_each_row_since_its_own_time(door: Any) -> None:
    door.source(entities={"interactions": {"files": "talks*"}})
    head = "interaction_id,customer_id,occurred_at\n"
    door.drop("talks_2024-05-01.csv", head + "1,1,2023-02-03T10:00:00Z\n")
    door.drop("talks_2024-05-02.csv", head + "2,1,2023-02-04T10:00:00Z\n3,1,2024-05-03T10:00:00Z\n")
    door.night(entity="interactions")
    assert door.rows("select interaction_id, _known_at from raw.interactions order by all") == [
        ("1", datetime(2023, 2, 3, 10, tzinfo=UTC)),
        ("2", datetime(2024, 5, 2, 23, 59, 59, 999999, tzinfo=UTC)),
        ("3", datetime(2024, 5, 3, 10, tzinfo=UTC)),
    ]


def test_what_the_source_says_about_knowing_comes_first(door: Any) -> None:
    door.source(entities={"interactions": {"files": "talks*"}})
    door.drop(
        "talks.csv",
        "interaction_id,customer_id,occurred_at,recorded_at,updated_at\n"
        "1,1,2023-02-03T10:00:00Z,2023-02-05T10:00:00Z,\n"
        "2,1,2023-02-03T10:00:00Z,2023-02-05T10:00:00Z,2023-03-01T00:00:00Z\n"
        "3,1,2023-02-03T10:00:00Z,2023-01-01T10:00:00Z,\n",
    )
    door.night(entity="interactions")
    assert door.rows(
        "select _known_at::date, _version_at::date from raw.interactions order by interaction_id"
    ) == [
        (date(2023, 2, 5), None),
        (date(2023, 3, 1), date(2023, 3, 1)),
        (date(2023, 2, 3), None),
    ]


def test_a_term_that_starts_later_is_known_when_its_file_is(door: Any) -> None:
    door.source(entities={"subscriptions": {"files": "subs*"}})
    door.drop(
        "subs.csv",
        "subscription_id,customer_id,term_start,mrr,booked_at\n"
        "1,1,2023-01-01,5,\n2,1,2025-01-01,5,\n3,1,2023-01-01,5,2022-12-01T00:00:00Z\n",
    )
    door.night(entity="subscriptions")
    assert door.rows("select _known_at::date from raw.subscriptions order by subscription_id") == [
        (date(2023, 1, 1),),
        (date(2024, 5, 31),),
        (date(2022, 12, 1),),
    ]


def test_days_end_in_the_zone_of_the_company(door: Any) -> None:
    door.company = type(door.company)(zone="America/New_York", currency="EUR")
    door.source(entities={"tenants": {"files": "tenants*"}})
    door.drop("tenants_20240501.csv", "tenant_id,customer_id\na,1\n")
    door.night(entity="tenants")
    assert door.rows("select _known_at from raw.tenants") == [
        (datetime(2024, 5, 2, 3, 59, 59, 999999, tzinfo=UTC),)
    ]


def test_an_exact_repeat_in_a_file_is_a_duplicate(door: Any) -> None:
    door.drop("customers.csv", CUSTOMERS + "1,Ada,large,2020-01-01\n")
    report = door.night()
    assert (report.delivered, report.accepted, report.duplicate) == (3, 2, 1)


def test_one_key_with_two_values_keeps_one_whatever_the_order_of_lines(
    new_door: Callable[[str], Any],
) -> None:
    lines = ["1,Ada,large", "1,Ada,small", "1,Zoe,small", "2,Bo,small"]
    kept = []
    for name, order in (("forth", lines), ("back", lines[::-1])):
        door = new_door(name)
        door.drop("customers.csv", "\n".join(["customer_id,name,segment", *order, ""]))
        report = door.night()
        assert (report.accepted, report.quarantined) == (2, 2)
        assert all("same key" in reason for _, _, reason in door.quarantine())
        kept.append(door.rows("select customer_id, name, segment from raw.customers order by all"))
    assert kept[0] == kept[1]


def test_versions_of_a_key_in_one_file_all_land_where_the_source_dates_them(door: Any) -> None:
    door.drop(
        "customers.csv",
        "customer_id,segment,updated_at\n1,a,2024-01-01T00:00:00Z\n1,b,2024-02-01T00:00:00Z\n",
    )
    assert door.night().accepted == 2


def test_unknown_columns_of_customers_become_attributes(door: Any) -> None:
    door.drop("customers.csv", "customer_id,nps tier,empty\n1,gold,\n2,,\n")
    report = door.night()
    assert report.files[0].unmapped == ("empty", "nps tier")
    assert door.rows("select attributes from raw.customers order by customer_id") == [
        ('{"nps tier":"gold"}',),
        (None,),
    ]


def test_where_leaves_rows_out_that_then_were_not_delivered(door: Any) -> None:
    door.source(entities={"customers": {"files": "customers*", "where": "segment <> 'small'"}})
    door.drop("customers.csv", CUSTOMERS)
    file = door.night().files[0]
    assert (file.delivered, file.accepted, file.filtered) == (1, 1, 1)


def test_columns_are_renamed_computed_or_constant(door: Any) -> None:
    door.source(
        entities={
            "customers": {
                "files": "customers*",
                "columns": {
                    "customer_id": "Id",
                    "name": {"sql": 'upper("Full name")'},
                    "segment": {"value": "all"},
                    "employee_count": {"sql": "staff::int * 2"},
                },
            }
        }
    )
    door.drop("customers.csv", "Id,Full name,staff\n7,ada,4\n")
    door.night()
    assert door.rows(
        "select customer_id, name, segment, employee_count, attributes from raw.customers"
    ) == [("7", "ADA", "all", 8, None)]


def test_a_full_delivery_that_loses_too_much_is_refused(door: Any) -> None:
    door.source(entities={"customers": {"files": "customers*", "delivery": "full"}})
    rows = [f"{n},name{n}" for n in range(100)]
    for day, kept in (("01", 100), ("02", 96), ("03", 90), ("04", 95)):
        text = "\n".join(["customer_id,name", *rows[:kept], ""])
        door.drop(f"customers_2024-05-{day}.csv", text)
    report = door.night()
    assert [(file.status, file.reason) for file in report.files] == [
        ("landed", None),
        ("landed", None),
        (
            "refused",
            "lacks 6 of 96 known keys, more than max_deleted_share (0.05) allows",
        ),
        ("landed", None),
    ]
    assert door.rows("select kind, entity from raw.alarms") == []


def test_a_key_whose_row_is_refused_has_not_vanished_from_a_full_delivery(door: Any) -> None:
    door.source(entities={"customers": {"files": "customers*", "delivery": "full"}})
    head = "customer_id,segment,employee_count\n"
    door.drop("customers_2024-05-01.csv", head + "1,a,5\n2,a,6\n3,a,7\n")
    door.drop("customers_2024-05-02.csv", head + "1,b,5\n2,b,many\n3,b,7\n")
    report = door.night()
    assert (report.delivered, report.accepted, report.quarantined) == (6, 5, 1)
    assert door.rows("""
        select customer_id, segment, _known_at::date from raw.customers
        where _file_name = 'customers_2024-05-02.csv' order by customer_id
    """) == [
        ("1", "b", date(2024, 5, 2)),
        ("2", "a", date(2024, 5, 1)),
        ("3", "b", date(2024, 5, 2)),
    ]


def test_a_refused_file_raises_an_alarm_until_a_good_one_comes(door: Any) -> None:
    door.drop("customers.csv", "id\n1\n")
    report = door.night("2024-05-30")
    assert [alarm.kind for alarm in report.alarms] == ["file_refused"]
    assert not report.is_blocked
    assert door.rows("select kind, entity, opened_on, detail from raw.alarms") == [
        (
            "file_refused",
            "customers",
            date(2024, 5, 30),
            "crm: customers.csv has no column 'customer_id'; it has id",
        )
    ]
    door.drop("customers.csv", CUSTOMERS)
    door.night("2024-05-31")
    assert door.rows("select * from raw.alarms") == []


def test_a_refused_file_of_a_blocking_entity_blocks(door: Any) -> None:
    door.source(entities={"customers": {"files": "customers*", "blocking": True}})
    door.drop("customers.csv", "id\n1\n")
    assert door.night().is_blocked


def test_a_missing_folder_is_an_alarm_not_an_error(door: Any) -> None:
    door.source(location=str(door.inbox / "nowhere"))
    report = door.night()
    assert [alarm.kind for alarm in report.alarms] == ["source_unreachable"]


def test_a_refused_file_is_tried_again_when_settings_change(door: Any) -> None:
    door.drop("customers.csv", "id\n1\n")
    door.night()
    door.source(entities={"customers": {"files": "customers*", "columns": {"customer_id": "id"}}})
    assert door.night().accepted == 1
    assert door.rows("select status, accepted from raw.deliveries") == [("landed", 1)]


def test_a_changed_mapping_replaces_the_batch_of_a_file_in_the_inbox(door: Any) -> None:
    door.drop("customers.csv", CUSTOMERS)
    door.night()
    door.source(
        entities={"customers": {"files": "customers*", "columns": {"segment": {"value": "x"}}}}
    )
    door.night()
    assert door.rows("select distinct segment from raw.customers") == [("x",)]
    assert door.rows("select count(*) from raw.customers") == [(2,)]


@pytest.mark.parametrize("leftover", ["batch", "parts", "received"])
def test_what_a_killed_run_left_behind_is_cleared(door: Any, leftover: str) -> None:
    work = door.home / "landing" / "_tmp" / "customers-crm"
    if leftover == "received":
        work.mkdir(parents=True)
        (work / "received").write_text("half")
    else:
        (work / leftover).mkdir(parents=True)
        (work / leftover / "rows.parquet").write_text("half")
        (work / leftover / "part-000009.parquet").write_text("half")
    door.drop("customers.csv", CUSTOMERS)
    assert door.night().accepted == 2
    assert door.rows("select count(*) from raw.customers") == [(2,)]


@pytest.mark.parametrize("step", ["read", "prepare"])
def test_a_query_that_is_asked_to_stop_refuses_no_file(
    door: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise RuntimeError("Query interrupted")

    door.drop("customers.csv", CUSTOMERS)
    with monkeypatch.context() as patch:
        patch.setattr(ingest.admission, step, stop)
        with pytest.raises(KeyboardInterrupt):
            door.night()
    night = door.night()
    assert [file.status for file in night.files] == ["landed"]
    assert (night.accepted, night.alarms) == (2, ())


def test_a_kill_at_any_step_then_again_gives_the_same(
    new_door: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    rows = CUSTOMERS + "x\n"
    whole = new_door("whole")
    whole.drop("customers.csv", rows)
    whole.night()
    expected = whole.rows("select * from raw.customers order by all")
    steps = [
        (ingest.files, "keep"),
        (ingest.admission, "read"),
        (ingest.admission, "prepare"),
        (ingest.admission, "_file_refused_rows"),
        (ingest.ledger, "write_json"),
        (ingest.ledger.Path, "rename"),
    ]
    for module, step in steps:
        door = new_door(step)
        door.drop("customers.csv", rows)
        with monkeypatch.context() as patch:
            patch.setattr(module, step, kill)
            with pytest.raises(Killed):
                door.night()
        assert door.rows("select count(*) from raw.customers") == [(0,)]
        door.night()
        assert door.rows("select * from raw.customers order by all") == expected
        assert len(door.quarantine()) == 1


def test_the_manifest_of_a_batch_says_where_it_came_from(door: Any) -> None:
    door.drop("customers_2024-05-01.csv", CUSTOMERS)
    door.night()
    (path,) = door.home.glob("landing/customers/*/manifest.json")
    said = json.loads(path.read_text())
    assert said["file_name"] == "customers_2024-05-01.csv"
    assert (said["delivered"], said["accepted"], said["delivered_on"]) == (2, 2, "2024-05-01")
    assert (door.home / "landing" / "_raw" / said["sha256"]).read_text() == CUSTOMERS
