"""Lands the files of an entity: finds what is new, checks it, admits it as an immutable batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from ingest import files
from ingest.admission import (
    Delivery,
    Door,
    FileReport,
    admit,
    again,
    entry_of,
    is_first_load,
    landed_by,
    next_generation,
    open_door,
    refuse,
    report_of,
)
from ingest.batches import EVENTS
from ingest.config import KEPT_EVENT_BYTES, Company, SourceConfig, SourcesConfig, digest
from ingest.files import Found, Promise, Refused, StillGrowing, Taken, one_line
from ingest.ledger import Entry

__all__ = ["Alarm", "FileReport", "LandingReport", "land_entity", "settle_first_load"]


@dataclass(frozen=True)
class Alarm:
    """Something people must know about tonight's data."""

    kind: str
    entity: str
    detail: str


@dataclass(frozen=True)
class LandingReport:
    """What a night did with the files of an entity; files seen before unchanged are not in it."""

    entity: str
    files: tuple[FileReport, ...]
    alarms: tuple[Alarm, ...]
    is_blocked: bool = False

    @property
    def delivered(self) -> int:
        return sum(file.delivered for file in self.files)

    @property
    def accepted(self) -> int:
        return sum(file.accepted for file in self.files)

    @property
    def quarantined(self) -> int:
        return sum(file.quarantined for file in self.files)

    @property
    def duplicate(self) -> int:
        return sum(file.duplicate for file in self.files)


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
    delivery = _delivery(door, found, said, Taken(Path(), found.bytes, ""), door.night_date)
    try:
        if problem:
            raise Refused(problem)
        keeps = door.mapping.keep_raw
        if keeps is None:
            keeps = door.entity.name != EVENTS or found.bytes < KEPT_EVENT_BYTES
        taken = files.take(found, said, door.source, door.work, keeps)
        delivery = _delivery(door, found, said, taken, door.night_date)
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
    landed = landed_by(door)
    for entry in landed:
        others = [other for other in landed if other.identity != entry.identity]
        should = is_first_load(entry.delivered_on, entry.admitted_on, others)
        if should != entry.is_first_load and entry.is_raw_kept:
            admit(door, again(door, entry))


def shown(file_name: str) -> str:
    """A file's name as text that can be stored."""
    return file_name.encode("utf-8", "backslashreplace").decode("utf-8")


def _delivery(door: Door, found: Found, said: Promise, taken: Taken, admitted_on: date) -> Delivery:
    """Who a file is: the same bytes under the same day are the same delivery, whatever the name.

    A file name that goes back to older content delivers it anew.
    """
    file_name = shown(found.name)
    entity, source = door.entity.name, door.source_name
    day = said.delivered_on if entity != EVENTS else None
    what = [entity, source, taken.sha256, str(day)]
    delivery_id = None
    if taken.sha256 and entity != EVENTS and day is None:
        landed = landed_by(door)
        same_name = [entry for entry in landed if entry.file_name == file_name]
        if same_name and same_name[-1].sha256 == taken.sha256:
            newest = same_name[-1]
            what, delivery_id = [newest.identity], newest.delivery_id
        elif same_name and any(entry.sha256 == taken.sha256 for entry in landed):
            what.append(str(admitted_on))
    identity = what[0] if delivery_id else digest(what)
    return Delivery(
        file_name=file_name,
        stamp=found.stamp,
        said=said,
        taken=taken,
        identity=identity,
        delivery_id=delivery_id or digest([*what, file_name, str(said.delivered_on)]),
        admitted_on=admitted_on,
        generation=1,
        is_raw_kept=False,
    )


def _twin(door: Door, delivery: Delivery) -> Entry | None:
    for entry in landed_by(door):
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
        is_raw_kept=False,
    )
    door.ledger.record(entry)
    return entry
