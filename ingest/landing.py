"""Lands the files of an entity: finds what is new, checks it, admits it as an immutable batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from ingest import files
from ingest.admission import admit, refuse
from ingest.config import Company, SourceConfig, SourcesConfig
from ingest.contracts import EVENTS
from ingest.deliveries import (
    Delivery,
    again,
    arrived,
    entry_of,
    is_first_load,
    next_generation,
    shown,
)
from ingest.door import Door, open_door
from ingest.files import Found, Promise, Taken
from ingest.ledger import Entry
from ingest.refusals import Refused, StillGrowing, one_line
from ingest.reports import Alarm, FileReport, LandingReport, report_of

# Event files at least this large are not kept as received unless `keep_raw: true` says so.
KEPT_EVENT_BYTES = 64 * 2**20


def land_entity(
    entity: str,
    config: SourcesConfig,
    home: Path,
    night_date: date,
    company: Company,
    now: datetime,
    memory_limit: str = "2GB",
    threads: int = 2,
) -> LandingReport:
    """Admits every new file of an entity, older deliveries first.

    `config` has absolute locations (`resolved`); `now` is the moment of landing and only tells
    which rows lie in the future; `night_date` is the as_of_date of the night. Money needs the
    exchange rates landed before: follow `config.entities()`. No file makes this raise.
    """
    reports: list[FileReport] = []
    alarms: list[Alarm] = []
    is_blocked = False
    for source_name, source, mapping in config.feeding(entity):
        door = open_door(
            entity,
            source_name,
            source,
            mapping,
            home,
            night_date,
            company,
            now,
            memory_limit,
            threads,
        )
        try:
            found = files.find(source, mapping)
        except Refused as refusal:
            detail = f"{source_name}: {refusal}"
            alarms.append(Alarm("source_unreachable", entity, detail))
            is_blocked = is_blocked or mapping.blocking
            continue
        news = _land_source(door, found)
        reports += news
        for report in news:
            if report.status == "refused":
                detail = f"{source_name}: {report.file_name} {report.reason}"
                alarms.append(Alarm("file_refused", entity, detail))
                is_blocked = is_blocked or mapping.blocking
    return LandingReport(entity, tuple(reports), tuple(alarms), is_blocked)


def _land_source(door: Door, found: Sequence[Found]) -> list[FileReport]:
    files.clear(door.work)
    entries = [
        entry for entry in door.ledger.entries(door.entity.name) if entry.source == door.source_name
    ]
    seen = {(entry.file_name, entry.stamp): entry for entry in entries}
    news = []
    for file in found:
        entry = seen.get((shown(file.name), file.stamp)) if file.stamp else None
        if entry is None or not _is_settled(entry, door):
            news.append(file)
    reports: list[FileReport] = []
    for file, said, problem in _by_delivery(news, door.source):
        report = _land_file(door, file, said, problem)
        if report is not None:
            reports.append(report)
    if any(report.status == "landed" for report in reports):
        settle_first_load(door)
    files.clear(door.work)
    return reports


def _is_settled(entry: Entry, door: Door) -> bool:
    """Nothing that was changed since could change what became of the file."""
    if entry.status == "refused":
        return entry.settings_version == door.settings_version
    return entry.mapping_version == door.mapping_version


def _by_delivery(
    found: Sequence[Found], source: SourceConfig
) -> list[tuple[Found, Promise, str | None]]:
    announced: list[tuple[Found, Promise, str | None]] = []
    for file in found:
        try:
            announced.append((file, files.promise(file, source), None))
        except Refused as refusal:
            announced.append((file, Promise(), str(refusal)))
    return sorted(announced, key=lambda item: (item[1].delivered_on or date.min, item[0].name))


def _land_file(door: Door, found: Found, said: Promise, problem: str | None) -> FileReport | None:
    """Admits one file; None where it was seen before and nothing changed."""
    delivery = arrived(door, found, said, Taken(Path(), found.bytes, ""))
    try:
        if problem:
            raise Refused(problem)
        keeps = door.mapping.keep_raw
        if keeps is None:
            keeps = door.entity.name != EVENTS or found.bytes < KEPT_EVENT_BYTES
        taken = files.take(found, door.source, door.work, keeps)
        delivery = arrived(door, found, said, taken)
        entries = door.ledger.entries(door.entity.name)
        before = next((e for e in entries if e.delivery_id == delivery.delivery_id), None)
        if before is not None and _is_settled(before, door):
            return None
        twin = _twin(door, delivery)
        if twin is not None:
            return report_of(_record_repeat(door, delivery, twin))
        files.check(taken, said)
        if keeps:
            raw = door.ledger.landing / "_raw"
            files.keep(taken.path, raw, taken.sha256)
            taken = replace(taken, path=raw / taken.sha256)
        delivery = replace(
            delivery,
            taken=taken,
            is_raw_kept=keeps,
            generation=next_generation(door, delivery),
        )
    except StillGrowing as growing:
        return FileReport(door.source_name, shown(found.name), "growing", str(growing))
    except Refused as refusal:
        return refuse(door, delivery, str(refusal))
    except Exception as error:
        return refuse(door, delivery, f"cannot be read: {one_line(error)}")
    return admit(door, delivery)


def settle_first_load(door: Door) -> None:
    """Admits again what counted as back-fill until an older file came, where it is kept."""
    landed = door.landed()
    for entry in landed:
        others = [other for other in landed if other.identity != entry.identity]
        should = is_first_load(entry.delivered_on, entry.admitted_on, others)
        if should != entry.is_first_load and entry.is_raw_kept:
            admit(door, again(door, entry))


def _twin(door: Door, delivery: Delivery) -> Entry | None:
    for entry in door.landed():
        if entry.identity == delivery.identity and entry.mapping_version == door.mapping_version:
            return entry
    return None


def _record_repeat(door: Door, delivery: Delivery, twin: Entry) -> Entry:
    entry = replace(
        entry_of(door, delivery, "repeated"),
        reason=f"the same as {twin.file_name}",
        delivered=twin.delivered,
        duplicate=twin.delivered,
        filtered=twin.filtered,
    )
    door.ledger.record(entry)
    return entry
