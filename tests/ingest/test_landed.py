"""What a night found landed, noted and laid out again for a rebuild."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.landed import (
    Landed,
    LostBatchError,
    find_landed,
    first_known,
    lay_out,
    narrow_to_known,
    read_landed,
)
from ingest.raw_relations import Night, input_fingerprint, open_raw
from ingest.replay import changed_mappings, replay
from tests.ingest.conftest import NOW

TABLES = ("customers", "batches", "deliveries", "alarms")
GERMAN = {
    "customers": {
        "files": "customers*",
        "columns": {"is_reference": {"sql": "replace(is_reference, 'ja', 'yes')"}},
    }
}


def raw(door: Any, home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of the raw relations over a data root, in their order of content."""
    day = date(2024, 5, 31)
    night = Night(day, door.company.end_of(day), "run", None, "code", "rules", "input")
    with duckdb.connect() as connection:
        open_raw(connection, home, night, door.company)
        return {
            table: connection.execute(f"from raw.{table} order by all").fetchall()
            for table in TABLES
        }


def noted(landed: Landed) -> Any:
    """A note as a night keeps it: through JSON."""
    return json.loads(json.dumps(landed.as_document(), default=str))


def test_a_landing_laid_out_again_gives_the_rows_batches_deliveries_and_alarms_of_then(
    door: Any, tmp_path: Path
) -> None:
    door.drop("customers-2024-05-01.csv", "customer_id,is_reference\n1,true\n2,ja\n")
    door.drop("customers-2024-05-02.csv", "<html>Sign in</html>\n")
    door.night()
    note, then = noted(find_landed(door.home)), raw(door, door.home)
    fingerprint = input_fingerprint(door.home)

    # Afterwards the mapping is put right, the refused file comes whole, and another is delivered.
    door.source(entities=GERMAN)
    replay(door.home, door.config, door.company, NOW)
    door.drop("customers-2024-05-02.csv", "customer_id\n3\n1\n2\n")
    door.drop("customers-2024-05-03.csv", "customer_id\n4\n1\n2\n3\n")
    door.night()
    assert raw(door, door.home) != then

    place = tmp_path / "place"
    lay_out(door.home, read_landed(door.home, note), place)
    assert raw(door, place) == then
    assert input_fingerprint(place) == fingerprint


def test_a_batch_that_is_gone_is_named(door: Any) -> None:
    door.drop("customers.csv", "customer_id\n1\n")
    door.night()
    note = noted(find_landed(door.home))
    (rows,) = door.home.glob("landing/customers/*/rows.parquet")
    rows.unlink()
    with pytest.raises(LostBatchError, match=r"rows\.parquet was read and is gone.*backup"):
        read_landed(door.home, note)


def test_a_day_before_the_first_night_knows_the_back_fill_but_no_later_delivery(
    door: Any, tmp_path: Path
) -> None:
    door.drop("customers.csv", "customer_id,created_at\n1,2024-02-01\n2,2024-04-01\n")
    door.night("2024-05-01")
    door.drop("customers2.csv", "customer_id,created_at\n3,2024-01-01\n")
    door.night("2024-05-02")
    landed = find_landed(door.home)
    assert first_known(door.home, landed) == datetime(2024, 2, 1, tzinfo=UTC)

    day = date(2024, 3, 1)
    end = door.company.end_of(day)
    known = narrow_to_known(door.home, landed, day, end)
    assert [entry.file_name for entry in known.batches] == ["customers.csv"]
    assert (known.batches[0].known_at, known.batches[0].admitted_on) == (end, day)

    place = tmp_path / "place"
    lay_out(door.home, known, place)
    rows = [row[0] for row in raw(door, place)["customers"]]
    assert rows == ["1", "2"]  # the rows themselves say when each was known

    nothing = narrow_to_known(door.home, landed, date(2024, 1, 1), door.company.end_of(day))
    assert nothing.set_aside == ()


def test_a_file_counts_from_its_first_row_on_and_as_of_then_only_in_a_back_fill(door: Any) -> None:
    door.source(entities={"interactions": {"files": "i*", "delivery": "changes"}})
    head = "interaction_id,customer_id,occurred_at,recorded_at\n"
    last = "2024-03-01T23:59:59.999999Z"
    door.drop("i-2024-05-01.csv", f"{head}1,a,{last},{last}\n")
    door.night("2024-05-01", "interactions")
    door.drop("i-2024-05-02.csv", f"{head}2,a,2024-02-01T08:00:00Z,2024-02-01T08:00:00Z\n")
    door.drop("i-2024-05-03.csv", "<html>Sign in</html>\n")
    door.night("2024-05-03", "interactions")
    landed = find_landed(door.home)
    later = {entry.file_name: entry for entry in landed.batches}["i-2024-05-02.csv"]

    day = date(2024, 3, 1)
    end = door.company.end_of(day)
    known = narrow_to_known(door.home, landed, day, end)
    assert [(entry.file_name, entry.known_at, entry.delivered_on) for entry in known.batches] == [
        ("i-2024-05-01.csv", end, day),
        ("i-2024-05-02.csv", later.known_at, date(2024, 5, 2)),
    ]
    assert known.set_aside == ()
    refused = narrow_to_known(door.home, landed, date(2024, 5, 3), later.known_at).set_aside
    assert [entry.file_name for entry in refused] == ["i-2024-05-03.csv"]


def test_mappings_that_changed_since_a_landing_are_named(door: Any) -> None:
    door.drop("customers.csv", "customer_id\n1\n")
    door.night()
    landed = find_landed(door.home)
    assert changed_mappings(landed, door.config) == []
    door.source(entities=GERMAN)
    assert changed_mappings(landed, door.config) == ["crm.customers"]
    door.source("erp", entities={"orders": {"files": "orders*"}})
    assert changed_mappings(landed, door.config) == ["crm.customers"]  # nothing landed of orders
