"""One taken file through the door: read, checked and landed as a batch, or refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb

from ingest import files
from ingest.batches import Origin, Prepared, prepare
from ingest.config import digest
from ingest.content import Content
from ingest.contracts import EVENTS
from ingest.deliveries import Delivery, entry_of, is_first_load
from ingest.door import Door
from ingest.ledger import Entry
from ingest.mapping import unmapped_columns
from ingest.readers import read
from ingest.refusals import Refused, one_line
from ingest.reports import FileReport, report_of
from ingest.scratch import scratch
from ingest.sql import name, text


def admit(door: Door, delivery: Delivery, before: Entry | None = None) -> FileReport:
    """Reads, checks and lands a taken file; whatever is wrong with it becomes a refusal.

    Where it would only say again what its landed batch `before` says, that one stays.
    """
    counted: Prepared | None = None
    unmapped: tuple[str, ...] = ()
    folder = door.work / "batch"
    try:
        files.clear(folder)
        others = _others(door, delivery)
        snapshot = _snapshot_before(door, delivery, others)
        origin = _origin(door, delivery, others, snapshot)
        spill = door.ledger.landing / "_tmp" / "spill"
        with scratch(spill, door.memory_limit, door.threads) as connection:
            content = read(
                connection,
                delivery.taken,
                delivery.said,
                delivery.file_name,
                door.source,
                door.work / "parts",
            )
            unmapped = unmapped_columns(door.entity, door.mapping, content.columns)
            _check_content(door, delivery, content)
            counted = prepared = prepare(
                connection,
                door.entity,
                door.source,
                door.mapping,
                content,
                door.bounds,
                origin,
                folder,
            )
            _check_rows(door, prepared)
            if snapshot is not None:
                _check_vanished(connection, door, snapshot)
        if before is not None and _is_same(door, before, prepared):
            return report_of(before)
        _file_refused_rows(door, delivery, folder)
        entry = replace(
            entry_of(door, delivery, "landed"),
            delivered=prepared.delivered,
            accepted=prepared.accepted,
            quarantined=prepared.quarantined,
            duplicate=prepared.duplicate,
            filtered=prepared.filtered,
            batch_id=origin.batch_id,
            known_at=origin.known_at,
            is_first_load=origin.is_first_load,
            content_hash=prepared.content_hash,
            first_at=prepared.first_at,
            last_at=prepared.last_at,
            columns=prepared.columns,
            unmapped=unmapped,
        )
        door.ledger.land(entry, folder)
        return report_of(entry)
    except Refused as refusal:
        return refuse(door, delivery, str(refusal), counted, unmapped)
    except Exception as error:
        reason = f"cannot be read: {one_line(error)}"
        if isinstance(error, duckdb.ConversionException):
            reason += "; decimal_separator and the formats do not reach into sql: expressions"
        return refuse(door, delivery, reason, counted, unmapped)


def refuse(
    door: Door,
    delivery: Delivery,
    reason: str,
    counted: Prepared | None = None,
    unmapped: tuple[str, ...] = (),
) -> FileReport:
    """Records a refusal; all rows that could be counted count as quarantined."""
    folder = door.work / "batch"
    if folder.exists():
        _file_refused_rows(door, delivery, folder)
    rows = counted.delivered if counted else 0
    entry = replace(
        entry_of(door, delivery, "refused"),
        reason=reason,
        delivered=rows,
        quarantined=rows,
        unmapped=unmapped,
    )
    door.ledger.record(entry)
    return report_of(entry)


def _others(door: Door, delivery: Delivery) -> list[Entry]:
    """Active batches of the entity, from every source, but the one this delivery replaces."""
    active = door.ledger.active(door.entity.name)
    return [entry for entry in active if entry.identity != delivery.identity]


def _origin(
    door: Door, delivery: Delivery, others: Sequence[Entry], snapshot: Entry | None
) -> Origin:
    company, day = door.bounds.company, delivery.said.delivered_on
    known_at = company.end_of(day or delivery.admitted_on)
    if day is None:
        earlier = [
            e.known_at for e in others if e.known_at and e.admitted_on <= delivery.admitted_on
        ]
        known_at = max([known_at, *earlier])
    same_source = [entry for entry in others if entry.source == door.source_name]
    stem = re.sub(r"[^A-Za-z0-9]+", "-", delivery.file_name.rsplit("/", 1)[-1])[:40].strip("-")
    mark = digest([delivery.identity, door.mapping_version, delivery.generation])[:10]
    landed: tuple[tuple[Path, datetime, datetime], ...] = ()
    if door.entity.name == EVENTS:
        landed = tuple(
            (door.ledger.rows(entry), entry.first_at, entry.last_at)
            for entry in others
            if entry.first_at and entry.last_at
        )
    return Origin(
        batch_id=f"{day or delivery.admitted_on}_{stem or 'file'}_{mark}",
        source_name=door.source_name,
        file_name=delivery.file_name,
        known_at=known_at,
        delivered_on=day,
        is_first_load=is_first_load(day, delivery.admitted_on, same_source),
        landed=landed,
        snapshot=door.ledger.rows(snapshot) if snapshot else None,
    )


def _is_same(door: Door, before: Entry, prepared: Prepared) -> bool:
    return (
        before.status == "landed"
        and before.mapping_version == door.mapping_version
        and before.content_hash == prepared.content_hash
        and before.quarantined == prepared.quarantined
    )


def _check_content(door: Door, delivery: Delivery, content: Content) -> None:
    if delivery.said.rows not in (None, content.rows):
        raise Refused(f"has {content.rows:,} rows, its manifest says {delivery.said.rows:,}")
    if content.rows == 0 and not door.mapping.allow_empty:
        raise Refused("has no rows")


def _check_rows(door: Door, prepared: Prepared) -> None:
    limit = door.source.limits.max_bad_share
    if prepared.delivered and prepared.quarantined > limit * prepared.delivered:
        raise Refused(
            f"has {prepared.quarantined:,} bad rows of {prepared.delivered:,}, more than "
            f"max_bad_share ({limit:g}) allows; see the quarantine"
        )
    if prepared.delivered == 0 and not door.mapping.allow_empty:
        raise Refused("has no rows that `where` lets through")


def _check_vanished(connection: duckdb.DuckDBPyConnection, door: Door, snapshot: Entry) -> None:
    """Refuses a whole snapshot that lacks too many of the keys of the one before it."""
    keys = ", ".join(name(column) for column in door.entity.key)
    path = text(str(door.ledger.rows(snapshot)))
    gone, known = connection.execute(f"""
        with known as (select distinct {keys} from read_parquet({path})),
        gone as (select * from known except select {keys} from typed_rows)
        select (select count(*) from gone), (select count(*) from known)
    """).fetchall()[0]
    limit = door.source.limits.max_deleted_share
    if gone > limit * known:
        raise Refused(
            f"lacks {gone:,} of {known:,} known keys, "
            f"more than max_deleted_share ({limit:g}) allows"
        )


def _snapshot_before(door: Door, delivery: Delivery, others: Sequence[Entry]) -> Entry | None:
    """Of a full delivery of rows with a key, the one before it from the same source."""
    if door.mapping.delivery != "full" or not door.entity.key:
        return None
    place = (delivery.said.delivered_on or date.min, delivery.file_name, delivery.admitted_on, "")
    before = [
        entry
        for entry in others
        if entry.source == door.source_name and entry.delivery == "full" and entry.order < place
    ]
    return before[-1] if before else None


def _file_refused_rows(door: Door, delivery: Delivery, folder: Path) -> None:
    """Puts a file's refused rows where people look, in place of those of an earlier admission."""
    target = door.ledger.quarantine / door.entity.name / f"{delivery.delivery_id}.parquet"
    if (folder / "refused.parquet").exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / "refused.parquet").replace(target)
    else:
        target.unlink(missing_ok=True)
