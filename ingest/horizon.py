"""How far the data reach: the day that `as_of: latest_data` stands for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from ingest import files
from ingest.config import Company, EntityMapping, SourceConfig, SourcesConfig
from ingest.contracts import ENTITIES, EVENTS
from ingest.ledger import Entry, Ledger
from ingest.mapping import open_source, plan
from ingest.readers import read
from ingest.refusals import Refused
from ingest.rules import Bounds, typed_rows
from ingest.scratch import scratch
from ingest.sql import name

# Entities whose rows happen at a moment or on a day, and so tell how far the data reach.
OCCURRENCES = (
    EVENTS,
    "interactions",
    "messages",
    "tickets",
    "surveys",
    "orders",
    "payments",
    "service_usage",
    "wallet_entries",
    "access_log",
    "leads",
    "opportunities",
    "quotes",
    "csm_assessments",
    "churn_reasons",
    "feature_requests",
)

Reach = tuple[str, date | None, datetime | None]


def latest_data(config: SourcesConfig, home: Path, company: Company, now: datetime) -> date | None:
    """The last day that the data reach, landed or waiting at the sources; None without any.

    It is the newest day of delivery or occurrence; without either (only terms, say) the newest
    business time. Needed before landing, because files without a day belong to the night that
    admits them. Files seen before are not read again; new ones without a day are read once more
    than a night alone would. Files that cannot be read do not count.
    """
    ledger = Ledger(home)
    known: list[Reach] = []
    for entity in config.entities():
        active = ledger.active(entity)
        known += [(e.entity, e.delivered_on, e.last_at) for e in active]
        seen = {(entry.source, entry.file_name, entry.stamp) for entry in ledger.entries(entity)}
        for source_name, source, mapping in config.feeding(entity):
            known += _waiting(entity, source_name, source, mapping, seen, company, now)
    return last_day(known, company, now)


def latest_landed(home: Path, company: Company, now: datetime) -> date | None:
    """The same of what is landed alone."""
    ledger = Ledger(home)
    entries: list[Entry] = [entry for entity in ENTITIES for entry in ledger.active(entity)]
    return last_day([(e.entity, e.delivered_on, e.last_at) for e in entries], company, now)


def last_day(known: Iterable[Reach], company: Company, now: datetime) -> date | None:
    """The last day of (entity, day of delivery, newest business time); none lies after today."""
    zone = company.start_of(date(2000, 1, 1)).tzinfo
    today = now.astimezone(zone).date()
    delivered: list[date] = []
    occurred: list[date] = []
    other: list[date] = []
    for entity, day, moment in known:
        business = ENTITIES[entity].business_time
        # A file of a day holds nothing after it.
        if day:
            delivered.append(min(day, today))
        elif moment and business:
            # A date is kept as its start in UTC, and is the same day in every zone.
            is_moment = ENTITIES[entity].column(business).type == "timestamp"
            found = min(moment.astimezone(zone).date() if is_moment else moment.date(), today)
            (occurred if entity in OCCURRENCES else other).append(found)
    return max([*delivered, *occurred], default=max(other, default=None))


def _waiting(
    entity: str,
    source_name: str,
    source: SourceConfig,
    mapping: EntityMapping,
    seen: set[tuple[str, str, str]],
    company: Company,
    now: datetime,
) -> list[Reach]:
    reaches: list[Reach] = []
    try:
        found = files.find(source, mapping)
    except Refused:
        return []
    for file in found:
        if (source_name, file.name, file.stamp) in seen:
            continue
        try:
            said = files.promise(file, source)
            moment = None
            # Only files without a day are looked into.
            if said.delivered_on is None and ENTITIES[entity].business_time:
                moment = _newest(entity, source, mapping, file, said, company, now)
            reaches.append((entity, said.delivered_on, moment))
        except (Refused, duckdb.Error, OSError):
            continue
    return reaches


def _newest(
    entity: str,
    source: SourceConfig,
    mapping: EntityMapping,
    file: files.Found,
    said: files.Promise,
    company: Company,
    now: datetime,
) -> datetime | None:
    contract = ENTITIES[entity]
    column = name(str(contract.business_time))
    bounds = Bounds(company, now + timedelta(days=1), frozenset())
    with tempfile.TemporaryDirectory(prefix="customer-health-") as folder, scratch() as connection:
        taken = files.take(file, source, Path(folder), keep_raw=False)
        content = read(connection, taken, said, file.name, source, Path(folder) / "parts")
        open_source(connection, content, source, mapping)
        typed = typed_rows(plan(connection, contract, source, mapping, content), source, bounds)
        rows = connection.execute(
            f"select max(cast({column} as timestamptz)) from ({typed}) "
            f"where cast({column} as timestamptz) <= ?",
            [bounds.latest],
        ).fetchall()
    newest: datetime | None = rows[0][0]
    return newest
