"""The door of one source's files of one entity: what their admission depends on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from ingest.config import Company, EntityMapping, SourceConfig, digest
from ingest.contracts import ENTITIES, Entity
from ingest.ledger import Entry, Ledger
from ingest.rules import Bounds
from ingest.scratch import scratch


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

    @cached_property
    def mapping_version(self) -> str:
        return mapping_version(self.entity, self.source, self.mapping)

    @cached_property
    def settings_version(self) -> str:
        """Everything that may turn a refused file or row into a good one, but its bytes."""
        return digest(
            [
                self.mapping_version,
                self.source.limits.model_dump(),
                self.source.needs_final_newline,
                self.mapping.allow_empty,
                self.mapping.may_lack,
                repr(self.bounds.company),
                sorted(self.bounds.currencies),
            ]
        )

    def landed(self) -> list[Entry]:
        """Active batches of the entity from this source, oldest first."""
        active = self.ledger.active(self.entity.name)
        return [entry for entry in active if entry.source == self.source_name]


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
        bounds=Bounds(company, now + timedelta(days=1), _currencies(ledger, company)),
        night_date=night_date,
        work=ledger.landing / "_tmp" / f"{entity}-{source_name}",
        memory_limit=memory_limit,
        threads=threads,
    )


def _currencies(ledger: Ledger, company: Company) -> frozenset[str]:
    """The company's currency and those with a landed exchange rate."""
    paths = [str(ledger.rows(entry)) for entry in ledger.active("exchange_rates")]
    known = {company.currency}
    if paths:
        with scratch() as connection:
            rows = connection.execute("select distinct currency from read_parquet(?)", [paths])
            known.update(row[0] for row in rows.fetchall())
    return frozenset(known)


def mapping_version(entity: Entity, source: SourceConfig, mapping: EntityMapping) -> str:
    """What the rows of a file depend on beside its bytes: contract, mapping, reading options."""
    reading = source.model_dump(
        mode="json",
        include={
            "format",
            "zone",
            "term_end_is_inclusive",
            "delimiter",
            "quote",
            "encoding",
            "header",
            "null_values",
            "date_format",
            "timestamp_format",
            "decimal_separator",
        },
    )
    # What is not set is left out: it was no part of a mapping before there was the setting.
    unset = {"attributes"} if mapping.attributes is None else set()
    read = {"columns", "where", "delivery", "attributes"} - unset
    mapped = mapping.model_dump(mode="json", include=read)
    columns = [
        (
            column.name,
            column.type,
            column.is_required,
            column.is_currency,
            column.allowed,
            column.is_never_negative,
            column.is_positive,
        )
        for column in entity.columns
    ]
    rules = [entity.key, entity.business_time, entity.booked_time, entity.any_of, entity.ordered]
    return digest([entity.name, columns, rules, reading, mapped])
