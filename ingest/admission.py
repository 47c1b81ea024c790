"""One taken file through the door: read, checked and landed as a batch, or refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from ingest import files
from ingest.batches import EVENTS, Origin, Prepared, prepare
from ingest.config import Company, EntityMapping, SourceConfig, digest, mapping_version
from ingest.content import Content
from ingest.contracts import ENTITIES, Entity
from ingest.files import Promise, Refused, Taken, one_line
from ingest.ledger import Entry, Ledger
from ingest.readers import read
from ingest.rules import Bounds
from ingest.scratch import scratch
from ingest.sql import name, text


@dataclass(frozen=True)
class FileReport:
    """What became of one new file. `status`: landed, repeated, refused or growing."""

    source: str
    file_name: str
    status: str
    reason: str | None = None
    delivered: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    filtered: int = 0
    batch_id: str | None = None
    unmapped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Door:
    """Everything the landing of one source's files of one entity depends on."""

    ledger: Ledger
    entity: Entity
    source_name: str
    source: SourceConfig
    mapping: EntityMapping
    bounds: Bounds
    night_date: date
    work: Path
    memory_limit: str
    threads: int

    @property
    def mapping_version(self) -> str:
        return mapping_version(self.entity, self.source, self.mapping)

    @property
    def settings_version(self) -> str:
        """Everything that may turn a refused file or row into a good one, but its bytes."""
        return digest(
            [
                self.mapping_version,
                self.source.limits.model_dump(),
                self.source.needs_final_newline,
                self.mapping.allow_empty,
                repr(self.bounds.company),
                sorted(self.bounds.currencies),
            ]
        )


@dataclass(frozen=True)
class Delivery:
    """A file to admit: who it is, apart from its rows."""

    file_name: str
    stamp: str
    said: Promise
    taken: Taken
    identity: str
    delivery_id: str
    admitted_on: date
    generation: int
    is_raw_kept: bool


def open_door(
    entity: str,
    source_name: str,
    source: SourceConfig,
    mapping: EntityMapping,
    home: Path,
    night_date: date,
    company: Company,
    now: datetime,
    memory_limit: str = "2GB",
    threads: int = 2,
) -> Door:
    """Gathers what admission depends on, the currencies with a landed rate among it."""
    ledger = Ledger(home)
    return Door(
        ledger=ledger,
        entity=ENTITIES[entity],
        source_name=source_name,
        source=source,
        mapping=mapping,
        bounds=Bounds(company, now + timedelta(days=1), currencies(ledger, company)),
        night_date=night_date,
        work=ledger.landing / "_tmp" / f"{entity}-{source_name}",
        memory_limit=memory_limit,
        threads=threads,
    )


def currencies(ledger: Ledger, company: Company) -> frozenset[str]:
    """The company's currency and those with a landed exchange rate."""
    paths = [str(ledger.rows(entry)) for entry in ledger.active("exchange_rates")]
    known = {company.currency}
    if paths:
        with scratch() as connection:
            rows = connection.execute("select distinct currency from read_parquet(?)", [paths])
            known.update(row[0] for row in rows.fetchall())
    return frozenset(known)


def admit(door: Door, delivery: Delivery, before: Entry | None = None) -> FileReport:
    """Reads, checks and lands a taken file; whatever is wrong with it becomes a refusal.

    Where it would only say again what its landed batch `before` says, that one stays.
    """
    counted = None
    folder = door.work / "batch"
    try:
        files.clear(folder)
        landed = _others(door, delivery)
        origin = _origin(door, delivery, landed)
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
            if door.mapping.delivery == "full":
                _check_vanished(connection, door, delivery, landed, folder / "rows.parquet")
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
            unmapped=prepared.unmapped,
        )
        door.ledger.land(entry, folder)
        return report_of(entry)
    except Refused as refusal:
        return refuse(door, delivery, str(refusal), counted)
    except Exception as error:
        return refuse(door, delivery, f"cannot be read: {one_line(error)}", counted)


def again(door: Door, entry: Entry) -> Delivery:
    """A kept file as a delivery to admit once more, as of the night that first did."""
    path = door.ledger.landing / "_raw" / entry.sha256
    size = path.stat().st_size if path.exists() else 0
    delivery = Delivery(
        file_name=entry.file_name,
        stamp=entry.stamp,
        said=Promise(rows=entry.promised_rows, delivered_on=entry.delivered_on),
        taken=Taken(path, size, entry.sha256),
        identity=entry.identity,
        delivery_id=entry.delivery_id,
        admitted_on=entry.admitted_on,
        generation=entry.generation + 1,
        is_raw_kept=True,
    )
    if entry.is_promised:
        delivery = replace(delivery, said=replace(delivery.said, sha256=entry.sha256))
    return replace(delivery, generation=next_generation(door, delivery))


def is_first_load(delivered_on: date | None, admitted_on: date, others: Sequence[Entry]) -> bool:
    """Is a file part of an entity's back-fill from a source?

    Files without a day that the first night admitted are; without such files, those of the
    earliest day of delivery. It follows from the files alone, not from the order they came in.
    """
    days = [(entry.delivered_on, entry.admitted_on) for entry in others]
    days.append((delivered_on, admitted_on))
    first_night = min(night for _, night in days)

    def place(delivered: date | None, admitted: date) -> date:
        return delivered or (date.min if admitted == first_night else admitted)

    return place(delivered_on, admitted_on) == min(place(*pair) for pair in days)


def refuse(
    door: Door, delivery: Delivery, reason: str, counted: Prepared | None = None
) -> FileReport:
    """Records a refusal; all rows that could be counted count as quarantined."""
    folder = door.work / "batch"
    if folder.exists():
        _file_refused_rows(door, delivery, folder)
    rows = counted.delivered if counted else 0
    entry = replace(
        entry_of(door, delivery, "refused"), reason=reason, delivered=rows, quarantined=rows
    )
    door.ledger.record(entry)
    return report_of(entry)


def entry_of(door: Door, delivery: Delivery, status: str) -> Entry:
    return Entry(
        entity=door.entity.name,
        source=door.source_name,
        file_name=delivery.file_name,
        sha256=delivery.taken.sha256,
        status=status,  # type: ignore[arg-type]
        delivery_id=delivery.delivery_id,
        identity=delivery.identity,
        generation=delivery.generation,
        mapping_version=door.mapping_version,
        settings_version=door.settings_version,
        stamp=delivery.stamp,
        delivery=door.mapping.delivery,
        admitted_on=delivery.admitted_on,
        delivered_on=delivery.said.delivered_on,
        is_raw_kept=delivery.is_raw_kept,
        is_promised=delivery.said.is_whole,
        promised_rows=delivery.said.rows,
    )


def report_of(entry: Entry) -> FileReport:
    return FileReport(
        source=entry.source,
        file_name=entry.file_name,
        status=entry.status,
        reason=entry.reason,
        delivered=entry.delivered,
        accepted=entry.accepted,
        quarantined=entry.quarantined,
        duplicate=entry.duplicate,
        filtered=entry.filtered,
        batch_id=entry.batch_id,
        unmapped=entry.unmapped,
    )


def landed_by(door: Door) -> list[Entry]:
    return [e for e in door.ledger.active(door.entity.name) if e.source == door.source_name]


def next_generation(door: Door, delivery: Delivery) -> int:
    entries = [*door.ledger.entries(door.entity.name), *door.ledger.active(door.entity.name)]
    same = [
        entry.generation
        for entry in entries
        if entry.identity == delivery.identity or entry.delivery_id == delivery.delivery_id
    ]
    return max(same, default=0) + 1


def _others(door: Door, delivery: Delivery) -> list[Entry]:
    """Active batches of the entity, from every source, but the one this delivery replaces."""
    active = door.ledger.active(door.entity.name)
    return [entry for entry in active if entry.identity != delivery.identity]


def _origin(door: Door, delivery: Delivery, others: Sequence[Entry]) -> Origin:
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
    before = None
    if door.mapping.delivery == "full" and door.entity.key:
        before = _snapshot_before(door, delivery, others)
    return Origin(
        batch_id=f"{day or delivery.admitted_on}_{stem or 'file'}_{mark}",
        source_name=door.source_name,
        file_name=delivery.file_name,
        known_at=known_at,
        delivered_on=day,
        is_first_load=is_first_load(day, delivery.admitted_on, same_source),
        landed=landed,
        snapshot=door.ledger.rows(before) if before else None,
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


def _check_vanished(
    connection: duckdb.DuckDBPyConnection,
    door: Door,
    delivery: Delivery,
    others: Sequence[Entry],
    rows: Path,
) -> None:
    """Refuses a whole snapshot that lacks too many of the keys of the one before it."""
    before = _snapshot_before(door, delivery, others)
    if before is None:
        return
    keys = ", ".join(name(column) for column in door.entity.key)
    path = text(str(door.ledger.rows(before)))
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
    """The last full delivery of the source that is older than this one."""
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
