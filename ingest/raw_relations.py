"""Schema `raw` of a night: views over exactly the batches it reads, and the night itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import holidays

from ingest.batches import landed_columns, marks
from ingest.config import Company, digest
from ingest.contracts import ENTITIES, Entity
from ingest.ledger import Entry, Ledger
from ingest.reports import Alarm
from ingest.sql import name, text


@dataclass(frozen=True)
class Night:
    """One night. `as_of_end` is the last instant of `as_of_date` in the company's zone."""

    as_of_date: date
    as_of_end: datetime
    run_id: str
    previous_night: date | None
    code_version: str
    rules_version: str
    input_fingerprint: str
    is_reconstructed: bool = False


def open_raw(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    night: Night,
    company: Company,
    alarms: Sequence[Alarm] = (),
) -> None:
    """Makes schema `raw` in the connection's current database, over all active batches.

    `alarms` are tonight's, beside those of refused files, which the ledger knows. Every entity has
    its typed relation, empty where nothing was landed. Raises duckdb.Error where a landed file is
    missing or damaged.
    """
    ledger = Ledger(home)
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("create schema if not exists raw")
    active: list[Entry] = []
    entries: list[Entry] = []
    for entity in ENTITIES.values():
        of_entity = ledger.active(entity.name)
        _open_entity(connection, ledger, entity, of_entity)
        active += of_entity
        entries += ledger.entries(entity.name)
    _open_night(connection, night)
    _open_batches(connection, active)
    _open_deliveries(connection, entries)
    _open_alarms(connection, entries, active, alarms, night)
    _open_holidays(connection, active, night, company)


def active_batches(home: Path) -> list[str]:
    """Ids of all batches a night would read now, sorted."""
    ledger = Ledger(home)
    return sorted(str(entry.batch_id) for entity in ENTITIES for entry in ledger.active(entity))


def input_fingerprint(home: Path) -> str:
    """Sixteen hexadecimal digits that stand for the rows read: not for file names or their order.

    Rows of `changes` deliveries count wherever they came from; of a `full` delivery it also counts
    which rows came together and when.
    """
    ledger = Ledger(home)
    said: dict[str, Any] = {}
    for entity in ENTITIES:
        total, count, whole = 0, 0, []
        for entry in ledger.active(entity):
            hashed, rows = (entry.content_hash or "0:0").split(":")
            total, count = total + int(hashed), count + int(rows)
            if entry.delivery == "full":
                whole.append(f"{entry.source} {entry.known_at} {entry.content_hash}")
        if count or whole:
            said[entity] = [str(total), count, sorted(whole)]
    return digest(said)


def entity_relation(ledger: Ledger, entity: Entity, active: Sequence[Entry]) -> str:
    """SQL of the rows of an entity's batches, typed, also where there are none."""
    facts = landed_columns(entity)
    columns = {**facts, **marks(entity)}
    if not active:
        empty = ", ".join(f"null::{kind} as {name(column)}" for column, kind in columns.items())
        return f"select {empty} where false"
    paths = ", ".join(text(str(ledger.rows(entry).resolve())) for entry in active)
    common = set.intersection(*(set(entry.columns) for entry in active))
    anywhere = set.union(*(set(entry.columns) for entry in active))
    # Batches landed under an older contract may lack columns that were added since.
    by_name = "" if common >= set(facts) else ", union_by_name = true"
    chosen = [
        name(column)
        if column not in facts or column in anywhere
        else f"null::{kind} as {name(column)}"
        for column, kind in columns.items()
    ]
    return f"select {', '.join(chosen)} from read_parquet([{paths}]{by_name})"


def _open_entity(
    connection: duckdb.DuckDBPyConnection, ledger: Ledger, entity: Entity, active: Sequence[Entry]
) -> None:
    relation = entity_relation(ledger, entity, active)
    connection.execute(f"create or replace view raw.{name(entity.name)} as {relation}")


def _open_night(connection: duckdb.DuckDBPyConnection, night: Night) -> None:
    _table(
        connection,
        "night",
        {
            "as_of_date": "DATE",
            "as_of_end": "TIMESTAMPTZ",
            "run_id": "VARCHAR",
            "previous_night": "DATE",
            "code_version": "VARCHAR",
            "rules_version": "VARCHAR",
            "input_fingerprint": "VARCHAR",
            "is_reconstructed": "BOOLEAN",
        },
        [
            (
                night.as_of_date,
                night.as_of_end,
                night.run_id,
                night.previous_night,
                night.code_version,
                night.rules_version,
                night.input_fingerprint,
                night.is_reconstructed,
            )
        ],
    )


def _open_batches(connection: duckdb.DuckDBPyConnection, active: Sequence[Entry]) -> None:
    rows: list[tuple[Any, ...]] = []
    places: dict[str, int] = {}
    for entry in active:
        places[entry.entity] = places.get(entry.entity, 0) + 1
        rows.append(
            (
                entry.batch_id,
                entry.entity,
                entry.source,
                entry.delivery,
                entry.file_name,
                entry.delivered_on,
                entry.known_at,
                places[entry.entity],
                entry.accepted,
                entry.is_first_load,
            )
        )
    _table(
        connection,
        "batches",
        {
            "batch_id": "VARCHAR",
            "entity": "VARCHAR",
            "source": "VARCHAR",
            "delivery": "VARCHAR",
            "file_name": "VARCHAR",
            "delivered_on": "DATE",
            "known_at": "TIMESTAMPTZ",
            "batch_order": "BIGINT",
            "row_count": "BIGINT",
            "is_first_load": "BOOLEAN",
        },
        rows,
    )


def _open_deliveries(connection: duckdb.DuckDBPyConnection, entries: Sequence[Entry]) -> None:
    _table(
        connection,
        "deliveries",
        {
            "delivery_id": "VARCHAR",
            "entity": "VARCHAR",
            "source": "VARCHAR",
            "file_name": "VARCHAR",
            "sha256": "VARCHAR",
            "status": "VARCHAR",
            "reason": "VARCHAR",
            "delivered": "BIGINT",
            "accepted": "BIGINT",
            "quarantined": "BIGINT",
            "duplicate": "BIGINT",
            "filtered": "BIGINT",
            "admitted_on": "DATE",
            "delivered_on": "DATE",
        },
        [
            (
                entry.delivery_id,
                entry.entity,
                entry.source,
                entry.file_name,
                entry.sha256,
                entry.status,
                entry.reason,
                entry.delivered,
                entry.accepted,
                entry.quarantined,
                entry.duplicate,
                entry.filtered,
                entry.admitted_on,
                entry.delivered_on,
            )
            for entry in entries
        ],
    )


def _open_alarms(
    connection: duckdb.DuckDBPyConnection,
    entries: Sequence[Entry],
    active: Sequence[Entry],
    alarms: Sequence[Alarm],
    night: Night,
) -> None:
    rows = {}
    for entry in entries:
        if entry.status == "refused" and not _is_answered(entry, active):
            detail = f"{entry.source}: {entry.file_name} {entry.reason}"
            rows[digest(["file_refused", entry.delivery_id])] = (
                "file_refused",
                entry.entity,
                entry.admitted_on,
                detail,
            )
    for alarm in alarms:
        if alarm.kind != "file_refused":
            alarm_id = digest([alarm.kind, alarm.entity, alarm.detail, str(night.as_of_date)])
            rows[alarm_id] = (alarm.kind, alarm.entity, night.as_of_date, alarm.detail)
    _table(
        connection,
        "alarms",
        {
            "alarm_id": "VARCHAR",
            "kind": "VARCHAR",
            "entity": "VARCHAR",
            "opened_on": "DATE",
            "detail": "VARCHAR",
        },
        [(alarm_id, *values) for alarm_id, values in sorted(rows.items())],
    )


def _is_answered(refused: Entry, active: Sequence[Entry]) -> bool:
    """Is a refusal over? Once the source landed a file of that name or day afterwards, or, where
    each file is the whole entity, any later one."""
    for entry in active:
        if (entry.entity, entry.source) != (refused.entity, refused.source):
            continue
        if entry.delivery == "full" and entry.order > refused.order:
            return True
        is_same_day = entry.delivered_on is not None and entry.delivered_on == refused.delivered_on
        is_same = entry.file_name == refused.file_name or is_same_day
        if is_same and entry.admitted_on >= refused.admitted_on:
            return True
    return False


def _open_holidays(
    connection: duckdb.DuckDBPyConnection,
    active: Sequence[Entry],
    night: Night,
    company: Company,
) -> None:
    rows: list[tuple[date, str]] = []
    if company.country:
        first = min((e.first_at.year for e in active if e.first_at), default=night.as_of_date.year)
        years = range(max(first, night.as_of_date.year - 30) - 1, night.as_of_date.year + 3)
        named = holidays.country_holidays(company.country, years=years)
        rows = sorted((day, str(label)) for day, label in named.items())
    _table(connection, "holidays", {"holiday_date": "DATE", "name": "VARCHAR"}, rows)


def _table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: dict[str, str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    described = ", ".join(f"{name(column)} {kind}" for column, kind in columns.items())
    connection.execute(f"create or replace table raw.{name(table)} ({described})")
    if rows:
        marks_ = ", ".join("?" for _ in columns)
        connection.executemany(f"insert into raw.{name(table)} values ({marks_})", list(rows))
