"""Reads every source as a night would and keeps nothing: what is there, what would be refused."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ingest.config import Company, EntityMapping, SourceConfig, SourcesConfig
from ingest.contracts import ENTITIES
from ingest.landing import land_entity
from ingest.ledger import Ledger
from ingest.orphans import describe_orphans
from ingest.reports import FileReport
from ingest.sql import name as quoted

KINDS_SHOWN = 10
TERMS = ("subscriptions", "order_lines")
# What reasons of problems begin with, the setting that may be lacking, and what to know of it.
SETTINGS = (
    (
        ("not a date:",),
        "date_format",
        'dates are read as YYYY-MM-DD; say otherwise with `date_format:`, such as "%d.%m.%Y" or '
        "epoch_seconds",
    ),
    (
        ("not a timestamp:",),
        "timestamp_format",
        "timestamps are read as ISO 8601; say otherwise with `timestamp_format:`, such as "
        '"%d.%m.%Y %H:%M" or epoch_milliseconds; days without a time are read by `date_format:`',
    ),
    (
        ("not a number:", "not a whole number:"),
        "decimal_separator",
        "numbers are read with a decimal point and no thousands separators; say otherwise with "
        '`decimal_separator:`, "," or "."',
    ),
)
FRACTION = re.compile(r"not a whole number: [+-]?[0-9]*\.[0-9]+")


@dataclass(frozen=True)
class RowProblem:
    """The first of the `rows` that would be quarantined for one kind of reason."""

    line: int
    column: str | None
    reason: str
    rows: int = 1


@dataclass(frozen=True)
class FileCheck:
    """What a night would do with one file.

    `mapped`: our columns and what they are read from; `taken`: those that no line maps, and that
    have values because the file has a column of that name.
    """

    entity: str
    report: FileReport
    mapped: dict[str, str]
    taken: tuple[str, ...]
    problems: tuple[RowProblem, ...]
    hints: tuple[str, ...]


@dataclass(frozen=True)
class SourceCheck:
    """All files. `alarms`: sources that cannot be read; `notes`: what lacks files or parents."""

    files: tuple[FileCheck, ...]
    alarms: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_refused(self) -> bool:
        """Something must be mended: a row for the quarantine does not stop a night."""
        return bool(self.alarms) or any(file.report.status == "refused" for file in self.files)


def check_sources(
    config: SourcesConfig, company: Company, now: datetime, memory_limit: str = "2GB"
) -> SourceCheck:
    """Lands everything into a folder that is thrown away; writes nowhere else.

    `config` has absolute locations. Nothing landed before is looked at: each file counts as new.
    """
    checks: list[FileCheck] = []
    alarms: list[str] = []
    notes: list[str] = []
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
    landed: dict[str, list[Path]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="customer-health-check-") as folder:
        home = Path(folder)
        for entity in passing.entities():
            report = land_entity(
                entity, passing, home, now.date(), company, now, memory_limit=memory_limit
            )
            for file in report.files:
                source = passing.root[file.source]
                problems = _problems(home, entity, file)
                mapped = _origins(source.entities[entity])
                hints = [
                    *_hints_of_problems(problems, source),
                    *_hints_of_rivals(source.entities[entity], entity, file, problems),
                ]
                taken: tuple[str, ...] = ()
                if file.batch_id:
                    rows = home / "landing" / entity / file.batch_id / "rows.parquet"
                    landed[entity].append(rows)
                    taken = _taken(rows, entity, mapped)
                    if entity in TERMS:
                        hints += [*_hints_of_terms(rows, source), *_hints_of_renewal(rows)]
                        hints += _hints_of_changes(rows)
                checks.append(FileCheck(entity, file, mapped, taken, problems, tuple(hints)))
            for alarm in report.alarms:
                if alarm.kind != "file_refused":
                    alarms.append(f"{entity}: {alarm.detail}")
            if not report.files and not report.alarms:
                places = ", ".join(
                    f"{name}: {source.shown_location}/{mapping.files}"
                    for name, source, mapping in passing.feeding(entity)
                )
                notes.append(f"{entity}: no file found ({places})")
        notes += describe_orphans(landed)
    if not checks and not alarms:
        alarms.append("no source has any file: nothing was checked")
    return SourceCheck(tuple(checks), tuple(alarms), tuple(notes))


def _origins(mapping: EntityMapping) -> dict[str, str]:
    origins = {}
    if mapping.attributes is not None:
        origins["attributes"] = ", ".join(mapping.attributes) or "none"
    for column, origin in mapping.columns.items():
        if isinstance(origin, str):
            origins[column] = origin
        elif hasattr(origin, "sql"):
            origins[column] = f"sql: {origin.sql}"
        else:
            origins[column] = f"value: {origin.value}"
    return origins


def _taken(rows: Path, entity: str, mapped: dict[str, str]) -> tuple[str, ...]:
    names = [column.name for column in ENTITIES[entity].columns if column.name not in mapped]
    if not names:
        return ()
    with duckdb.connect() as connection:
        counts = connection.execute(
            f"select {', '.join(f'count({quoted(name)})' for name in names)} from read_parquet(?)",
            [str(rows)],
        ).fetchall()[0]
    return tuple(name for name, count in zip(names, counts, strict=True) if count)


def _problems(home: Path, entity: str, file: FileReport) -> tuple[RowProblem, ...]:
    ledger = Ledger(home)
    for entry in ledger.entries(entity):
        if (entry.source, entry.file_name) != (file.source, file.file_name):
            continue
        path = ledger.refused_rows(entry)
        if path.exists():
            with duckdb.connect() as connection:
                rows = connection.execute(
                    """
                    select min(line), "column", arg_min(reason, line), count(*)
                    from read_parquet(?)
                    group by "column", regexp_replace(split_part(reason, ':', 1), '[0-9]+', '')
                    order by count(*) desc, min(line)
                    limit ?
                    """,
                    [str(path), KINDS_SHOWN],
                ).fetchall()
            return tuple(RowProblem(*row) for row in rows)
    return ()


def _hints_of_problems(problems: tuple[RowProblem, ...], source: SourceConfig) -> Iterator[str]:
    """Settings that the source does not have and its rows may need."""
    for problem in problems:
        if FRACTION.fullmatch(problem.reason):
            rounded = f'`{problem.column}: {{sql: "round(x::double)"}}`'
            yield f"if these are fractions, {rounded} gives whole numbers"
    for beginnings, setting, said in SETTINGS:
        is_seen = any(problem.reason.startswith(beginnings) for problem in problems)
        if is_seen and getattr(source, setting) is None:
            yield f"{said} (beside the source's `format:`)"


def _hints_of_rivals(
    mapping: EntityMapping, entity: str, file: FileReport, problems: tuple[RowProblem, ...]
) -> Iterator[str]:
    """Attributes are values too: a ledger tells as many other customers as it has rows."""
    is_seen = any("has the same key and other values" in problem.reason for problem in problems)
    is_kept = ENTITIES[entity].keeps_unknown_columns and mapping.attributes is None
    if is_seen and file.unmapped and is_kept:
        yield (
            f"columns that are not mapped count as values of {entity}; where a file has many rows "
            "of one, such as purchases, say `attributes: []` beside `files:`, or name those to keep"
        )


def _hints_of_terms(rows: Path, source: SourceConfig) -> Iterator[str]:
    """Where most terms miss whole months by one day, their end is not what the source says it is.

    From 1 March to 28 February is a year when the end is the last day, to 1 March when it is not.
    Terms of 30 days miss by one where a month has 31, which is seven months of twelve.
    """
    is_inclusive = source.term_end_is_inclusive
    with duckdb.connect() as connection:
        most = connection.execute(
            """
            select 4 * count(*) filter (
                day(term_end) != day(term_start) and day(term_end + ?) = day(term_start)
            ) > 3 * count(*)
            from read_parquet(?)
            where term_end is not null
            """,
            [-1 if is_inclusive else 1, str(rows)],
        ).fetchall()[0][0]
    if most:
        kind, setting = ("day after the last", "false") if is_inclusive else ("last day", "true")
        yield (
            f"most terms are whole months if term_end is the {kind}; if so, say "
            f"`term_end_is_inclusive: {setting}` (beside the source's `format:`)"
        )


def _hints_of_renewal(rows: Path) -> Iterator[str]:
    """What renews itself has an end to renew at: without one, an end is not what we take it for."""
    with duckdb.connect() as connection:
        endless, ended = connection.execute(
            """
            select
                count(*) filter (term_end is null),
                count(*) filter (term_end is not null and cancelled_at is null)
            from read_parquet(?)
            where is_auto_renew
            """,
            [str(rows)],
        ).fetchall()[0]
    if endless and ended:
        yield (
            f"is_auto_renew is true in {endless:,} rows without a term_end and in {ended:,} with "
            "one, which go on by themselves after it; if an end is written only when all is over, "
            "say `is_auto_renew: {value: false}`"
        )


def _hints_of_changes(rows: Path) -> Iterator[str]:
    """A row that is known since its last change tells nothing of the time before.

    A file that is known since its delivery has one such moment.
    """
    with duckdb.connect() as connection:
        is_late = connection.execute(
            """
            select
                count(distinct _known_at) > 1
                and 2 * count(*) filter (_known_at > term_start + interval 90 days) > count(*)
            from read_parquet(?)
            """,
            [str(rows)],
        ).fetchall()[0][0]
    if is_late:
        yield (
            "most terms are known from a change (`updated_at`, `recorded_at`) long after their "
            "start, so past nights and closed months do not know them; where no older versions "
            'are delivered, say `updated_at: {sql: "null"}`'
        )
