"""What a night says of the files it landed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ingest.ledger import Entry


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
    delivered_on: date | None = None


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
        delivered_on=entry.delivered_on,
    )
