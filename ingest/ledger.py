"""What was done with every file ever seen. The batches' own manifests are the ledger.

A landed file's entry is `landing/<entity>/<batch_id>/manifest.json`; a repeated or refused one's
is `landing/_ledger/<entity>/<delivery_id>.json`. Both appear by a rename, whole or not at all.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

Status = Literal["landed", "repeated", "refused"]


@dataclass(frozen=True)
class Entry:
    """One file as one entity's delivery. delivered = accepted + quarantined + duplicate.

    `filtered` rows are left out by the mapping's `where` and count as not delivered. A refused
    file's rows, where they could be counted, all count as quarantined. `generation` grows when the
    same file is admitted again: of one `identity` the highest generation holds.
    """

    entity: str
    source: str
    file_name: str
    sha256: str
    status: Status
    delivery_id: str
    identity: str
    generation: int
    mapping_version: str
    settings_version: str
    stamp: str
    delivery: str
    admitted_on: date
    delivered_on: date | None = None
    reason: str | None = None
    delivered: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    filtered: int = 0
    batch_id: str | None = None
    known_at: datetime | None = None
    is_first_load: bool = False
    is_raw_kept: bool = False
    content_hash: str | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    columns: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    is_promised: bool = False
    promised_rows: int | None = None

    @property
    def order(self) -> tuple[date, str, date, str]:
        """Sorts batches from older to newer: delivery, file name, never arrival within a night."""
        return (
            self.delivered_on or date.min,
            self.file_name,
            self.admitted_on,
            self.content_hash or "",
        )


class Ledger:
    """Entries of one data root; `landing` is its folder of landed batches."""

    def __init__(self, home: Path) -> None:
        self.landing = home / "landing"
        self.quarantine = home / "quarantine"

    def entries(self, entity: str) -> list[Entry]:
        """The entries that hold for an entity, oldest first; a broken one is a ValueError."""
        found = [_load(path) for path in self._manifests(entity)]
        newest: dict[str, Entry] = {}
        for entry in found:
            known = newest.get(entry.delivery_id)
            if known is None or entry.generation > known.generation:
                newest[entry.delivery_id] = entry
        return sorted(newest.values(), key=lambda entry: (entry.order, entry.delivery_id))

    def active(self, entity: str) -> list[Entry]:
        """Landed batches whose rows count, oldest first."""
        newest: dict[str, Entry] = {}
        for entry in map(_load, self.landing.glob(f"{entity}/*/manifest.json")):
            known = newest.get(entry.identity)
            if known is None or entry.generation > known.generation:
                newest[entry.identity] = entry
        return sorted(newest.values(), key=lambda entry: entry.order)

    def landed(self, entity: str, batch_id: str) -> Entry:
        """The entry of a landed batch, active or not; FileNotFoundError where it is gone."""
        return _load(self.landing / entity / batch_id / "manifest.json")

    def rows(self, entry: Entry) -> Path:
        """The Parquet file of a landed batch."""
        return self.landing / entry.entity / str(entry.batch_id) / "rows.parquet"

    def refused_rows(self, entry: Entry) -> Path:
        """The Parquet file of a file's quarantined rows; absent where there are none."""
        return self.quarantine / entry.entity / f"{entry.delivery_id}.parquet"

    def record(self, entry: Entry) -> None:
        """Writes the entry of a file that landed no batch."""
        path = self._path(entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, asdict(entry))

    def land(self, entry: Entry, folder: Path) -> None:
        """Makes a prepared folder (rows.parquet inside) the batch of the entry, at once."""
        write_json(folder / "manifest.json", asdict(entry))
        target = self.landing / entry.entity / str(entry.batch_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
        self._path(entry).unlink(missing_ok=True)

    def _path(self, entry: Entry) -> Path:
        return self.landing / "_ledger" / entry.entity / f"{entry.delivery_id}.json"

    def _manifests(self, entity: str) -> Iterable[Path]:
        yield from self.landing.glob(f"{entity}/*/manifest.json")
        yield from self.landing.glob(f"_ledger/{entity}/*.json")


def write_json(path: Path, thing: Any) -> None:
    """Writes under a temporary name and renames."""
    temporary = path.with_name("." + path.name + ".tmp")
    text = json.dumps(thing, default=_plain, indent=1, sort_keys=True, ensure_ascii=True)
    temporary.write_text(text + "\n", encoding="ascii")
    temporary.replace(path)


def _plain(value: Any) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a manifest")


_DATES = ("admitted_on", "delivered_on")
_MOMENTS = ("known_at", "first_at", "last_at")
_LISTS = ("columns", "unmapped")


def _load(path: Path) -> Entry:
    stat = path.stat()
    return _parse(path, stat.st_mtime_ns, stat.st_ino)


# Manifests are replaced whole, by a rename: the same inode of the same time is the same entry.
@functools.lru_cache(maxsize=100_000)
def _parse(path: Path, modified_at: int, inode: int) -> Entry:
    try:
        return read_entry(json.loads(path.read_text(encoding="ascii")))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def read_entry(said: Mapping[str, Any]) -> Entry:
    """An entry as its JSON says it; what a later version may have added is left out."""
    names = {field.name for field in fields(Entry)}
    values = {name: value for name, value in said.items() if name in names}
    for name in _DATES:
        values[name] = date.fromisoformat(values[name]) if values.get(name) else None
    for name in _MOMENTS:
        values[name] = datetime.fromisoformat(values[name]) if values.get(name) else None
    for name in _LISTS:
        values[name] = tuple(values.get(name, ()))
    return Entry(**values)
