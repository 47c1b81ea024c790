"""Admits kept files again after a mapping, a contract or the known currencies changed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ingest.admission import admit
from ingest.config import Company, SourcesConfig
from ingest.contracts import ENTITIES
from ingest.deliveries import again
from ingest.door import mapping_version, open_door
from ingest.landed import Landed
from ingest.landing import settle_first_load
from ingest.ledger import Entry
from ingest.reports import FileReport, LandingReport


def replay(
    home: Path,
    config: SourcesConfig,
    company: Company,
    now: datetime,
    entity: str | None = None,
    memory_limit: str = "2GB",
    threads: int = 2,
) -> tuple[LandingReport, ...]:
    """Reads every kept file that may fare better now; one report per entity, rates first.

    The new batch takes the place of the old one of the same file, which stays on disk, and so do
    its refused rows. Each file counts as admitted by the night that first did. A batch that would
    come out the same is left as it is.
    """
    reports = []
    for name in config.entities():
        if entity is not None and name != entity:
            continue
        files: list[FileReport] = []
        for source_name, source, mapping in config.feeding(name):
            door = open_door(
                name,
                source_name,
                source,
                mapping,
                home,
                now.date(),
                company,
                now,
                memory_limit,
                threads,
            )
            for entry in door.ledger.entries(name):
                if entry.source != source_name or not _may_change(entry, door.mapping_version):
                    continue
                delivery = again(door, entry)
                if delivery.taken.path.exists():
                    files.append(admit(door, delivery, before=entry))
            settle_first_load(door)
        reports.append(LandingReport(name, tuple(files), ()))
    return tuple(reports)


def changed_mappings(landed: Landed, config: SourcesConfig) -> list[str]:
    """`source.entity` of what landed with another mapping than `config` has, by name."""
    then = {(entry.source, entry.entity): entry.mapping_version for entry in landed.batches}
    now = {
        (name, entity): mapping_version(ENTITIES[entity], source, mapping)
        for entity in config.entities()
        for name, source, mapping in config.feeding(entity)
    }
    return sorted(".".join(place) for place, version in then.items() if now.get(place) != version)


def _may_change(entry: Entry, mapping_version: str) -> bool:
    if not entry.is_raw_kept:
        return False
    if entry.status == "refused" or entry.quarantined:
        return True
    return entry.status == "landed" and entry.mapping_version != mapping_version
