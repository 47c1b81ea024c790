"""Reads every source as a night would and keeps nothing: what is there, what would be refused."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ingest.config import Company, EntityMapping, SourcesConfig
from ingest.landing import land_entity
from ingest.ledger import Ledger
from ingest.reports import FileReport

REASONS_SHOWN = 5


@dataclass(frozen=True)
class RowProblem:
    """A row that would be quarantined."""

    line: int
    column: str | None
    reason: str


@dataclass(frozen=True)
class FileCheck:
    """What a night would do with one file. `mapped`: our columns and what they are read from."""

    entity: str
    report: FileReport
    mapped: dict[str, str]
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True)
class SourceCheck:
    """All files, and what is wrong with whole sources: one line each."""

    files: tuple[FileCheck, ...]
    alarms: tuple[str, ...]


def check_sources(
    config: SourcesConfig, company: Company, now: datetime, memory_limit: str = "2GB"
) -> SourceCheck:
    """Lands everything into a folder that is thrown away; writes nowhere else.

    `config` has absolute locations. Nothing landed before is looked at: each file counts as new.
    """
    checks: list[FileCheck] = []
    alarms: list[str] = []
    passing = SourcesConfig(
        {
            name: source.model_copy(
                update={
                    "entities": {
                        entity: mapping.model_copy(update={"keep_raw": False})
                        for entity, mapping in source.entities.items()
                    }
                }
            )
            for name, source in config.root.items()
        }
    )
    with tempfile.TemporaryDirectory(prefix="customer-health-check-") as folder:
        home = Path(folder)
        for entity in passing.entities():
            report = land_entity(
                entity, passing, home, now.date(), company, now, memory_limit=memory_limit
            )
            for file in report.files:
                mapping = passing.root[file.source].entities[entity]
                checks.append(
                    FileCheck(entity, file, _origins(mapping), _problems(home, entity, file))
                )
            for alarm in report.alarms:
                if alarm.kind != "file_refused":
                    alarms.append(f"{entity}: {alarm.detail}")
            if not report.files and not report.alarms:
                places = ", ".join(
                    f"{name}: {source.location}/{mapping.files}"
                    for name, source, mapping in passing.feeding(entity)
                )
                alarms.append(f"{entity}: no file found ({places})")
    return SourceCheck(tuple(checks), tuple(alarms))


def _origins(mapping: EntityMapping) -> dict[str, str]:
    origins = {}
    for column, origin in mapping.columns.items():
        if isinstance(origin, str):
            origins[column] = origin
        elif hasattr(origin, "sql"):
            origins[column] = f"sql: {origin.sql}"
        else:
            origins[column] = f"value: {origin.value}"
    return origins


def _problems(home: Path, entity: str, file: FileReport) -> tuple[RowProblem, ...]:
    ledger = Ledger(home)
    for entry in ledger.entries(entity):
        if (entry.source, entry.file_name) != (file.source, file.file_name):
            continue
        path = ledger.refused_rows(entry)
        if path.exists():
            with duckdb.connect() as connection:
                rows = connection.execute(
                    'select line, "column", reason from read_parquet(?) order by line limit ?',
                    [str(path), REASONS_SHOWN],
                ).fetchall()
            return tuple(RowProblem(*row) for row in rows)
    return ()
