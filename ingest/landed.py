"""What a night finds landed: noted with the night, and laid out again elsewhere to rebuild it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ingest.contracts import ENTITIES
from ingest.ledger import Entry, Ledger, read_entry, write_json


@dataclass(frozen=True)
class Landed:
    """`batches`: landed files, also those that newer ones replaced; `set_aside`: files that landed
    nothing, repeated or refused, as the ledger had them then."""

    batches: tuple[Entry, ...]
    set_aside: tuple[Entry, ...]

    def as_document(self) -> dict[str, Any]:
        """Batches by id, as their manifests stay; the ledger forgets a refusal, so those whole."""
        batches: dict[str, list[str]] = {}
        for entry in self.batches:
            batches.setdefault(entry.entity, []).append(str(entry.batch_id))
        return {"batches": batches, "set_aside": [asdict(entry) for entry in self.set_aside]}


class LostBatchError(RuntimeError):
    """A batch that a night had read is gone; the message says which and what to do."""


def find_landed(home: Path) -> Landed:
    """All that a night would find now."""
    ledger = Ledger(home)
    batches: dict[tuple[str, str | None], Entry] = {}
    set_aside = []
    for entity in ENTITIES:
        for entry in [*ledger.active(entity), *ledger.entries(entity)]:
            if entry.status == "landed":
                batches[entity, entry.batch_id] = entry
            else:
                set_aside.append(entry)
    return Landed(tuple(batches.values()), tuple(set_aside))


def read_landed(home: Path, document: Mapping[str, Any]) -> Landed:
    """What an earlier night found, from `Landed.as_document`. Raises LostBatchError."""
    ledger = Ledger(home)
    batches = []
    for entity, batch_ids in document["batches"].items():
        for batch_id in batch_ids:
            try:
                entry = ledger.landed(entity, batch_id)
                ledger.rows(entry).stat()
            except FileNotFoundError as error:
                raise LostBatchError(
                    f"{error.filename} was read and is gone: restore landing/ from the backup"
                ) from error
            batches.append(entry)
    return Landed(tuple(batches), tuple(read_entry(said) for said in document["set_aside"]))


def narrow_to_known(home: Path, landed: Landed, day: date, day_end: datetime) -> Landed:
    """The files with a row known by the end of a day, for a night that was never run.

    A back-fill that came later tells what was known before it came: it counts as of that day.
    """
    first_known = _first_known(home, landed.batches)
    batches = [
        replace(
            entry,
            known_at=day_end,
            admitted_on=min(entry.admitted_on, day),
            delivered_on=min(entry.delivered_on, day) if entry.delivered_on else None,
        )
        if entry.is_first_load and entry.known_at and entry.known_at > day_end
        else entry
        for entry in landed.batches
        if (known := first_known.get(_place(home, entry))) and known <= day_end
    ]
    set_aside = [entry for entry in landed.set_aside if entry.admitted_on <= day]
    return Landed(tuple(batches), tuple(set_aside))


def first_known(home: Path, landed: Landed) -> datetime | None:
    """The moment from which the first landed row was known; None without any row."""
    return min(_first_known(home, landed.batches).values(), default=None)


def lay_out(home: Path, landed: Landed, place: Path) -> None:
    """Gives the data root `place` just these files: manifests of its own, links to the rows."""
    source, target = Ledger(home), Ledger(place)
    for entry in landed.batches:
        rows = target.rows(entry)
        rows.parent.mkdir(parents=True)
        rows.symlink_to(source.rows(entry).resolve())
        write_json(rows.with_name("manifest.json"), asdict(entry))
    for entry in landed.set_aside:
        target.record(entry)


def _first_known(home: Path, batches: Iterable[Entry]) -> dict[str, datetime]:
    """By file of rows, the moment from which its first row was known; files without rows lack."""
    paths: dict[str, list[str]] = {}
    for entry in batches:
        paths.setdefault(entry.entity, []).append(_place(home, entry))
    found: dict[str, datetime] = {}
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for of_entity in paths.values():
            rows = connection.execute(
                "select filename, min(_known_at) from read_parquet(?, union_by_name = true,"
                " filename = true) where _known_at is not null group by filename",
                [of_entity],
            )
            found.update(rows.fetchall())
    return found


def _place(home: Path, entry: Entry) -> str:
    return str(Ledger(home).rows(entry))
