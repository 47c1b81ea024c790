"""Which delivery a file is, among those seen before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ingest.config import digest
from ingest.contracts import EVENTS
from ingest.door import Door
from ingest.files import Found, Promise, Taken
from ingest.ledger import Entry, Status


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


def arrived(door: Door, found: Found, said: Promise, taken: Taken) -> Delivery:
    """Who a file is: the same bytes under the same day are the same delivery, whatever the name.

    A file name that goes back to older content delivers it anew.
    """
    file_name = shown(found.name)
    entity, source = door.entity.name, door.source_name
    day = said.delivered_on if entity != EVENTS else None
    what = [entity, source, taken.sha256, str(day)]
    delivery_id = None
    if taken.sha256 and entity != EVENTS and day is None:
        landed = door.landed()
        same_name = [entry for entry in landed if entry.file_name == file_name]
        if same_name and same_name[-1].sha256 == taken.sha256:
            newest = same_name[-1]
            what, delivery_id = [newest.identity], newest.delivery_id
        elif same_name and any(entry.sha256 == taken.sha256 for entry in landed):
            what.append(str(door.night_date))
    identity = what[0] if delivery_id else digest(what)
    return Delivery(
        file_name=file_name,
        stamp=found.stamp,
        said=said,
        taken=taken,
        identity=identity,
        delivery_id=delivery_id or digest([*what, file_name, str(said.delivered_on)]),
        admitted_on=door.night_date,
        generation=1,
        is_raw_kept=False,
    )


def again(door: Door, entry: Entry) -> Delivery:
    """A kept file as a delivery to admit once more, as of the night that first did."""
    path = door.ledger.landing / "_raw" / entry.sha256
    size = path.stat().st_size if path.exists() else 0
    return Delivery(
        file_name=entry.file_name,
        stamp=entry.stamp,
        said=Promise(
            rows=entry.promised_rows,
            sha256=entry.sha256 if entry.is_promised else None,
            delivered_on=entry.delivered_on,
        ),
        taken=Taken(path, size, entry.sha256),
        identity=entry.identity,
        delivery_id=entry.delivery_id,
        admitted_on=entry.admitted_on,
        generation=next_generation(door, entry),
        is_raw_kept=True,
    )


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


def next_generation(door: Door, delivery: Delivery | Entry) -> int:
    entries = [*door.ledger.entries(door.entity.name), *door.ledger.active(door.entity.name)]
    same = [
        entry.generation
        for entry in entries
        if entry.identity == delivery.identity or entry.delivery_id == delivery.delivery_id
    ]
    return max(same, default=0) + 1


def entry_of(door: Door, delivery: Delivery, status: Status) -> Entry:
    return Entry(
        entity=door.entity.name,
        source=door.source_name,
        file_name=delivery.file_name,
        sha256=delivery.taken.sha256,
        status=status,
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


def shown(file_name: str) -> str:
    """A file's name as text that can be stored."""
    return file_name.encode("utf-8", "backslashreplace").decode("utf-8")
