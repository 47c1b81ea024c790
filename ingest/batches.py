"""Turns the typed rows of one file into a batch: accepted rows as Parquet, refused ones beside.

Every row of the file is accepted, quarantined or a duplicate; the three add up exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from ingest.config import Company, EntityMapping, SourceConfig
from ingest.content import LINE, Content
from ingest.contracts import EVENTS, SQL_TYPES, Entity, all_columns
from ingest.mapping import Plan, open_source, plan
from ingest.repeats import count_rows, find_carried, find_event_repeats, find_repeats
from ingest.rules import Bounds, raw_row, typed_rows
from ingest.sql import moment, name, text

ROWS_AT_ONCE = 200_000


@dataclass(frozen=True)
class Origin:
    """Where a batch comes from and when it was known.

    `landed` are Parquet files of events landed before, with their first and last moment, in which
    this file's events are looked up. `snapshot` holds the rows of the full delivery before this
    one: a key whose row is refused has not vanished, so what it says of it goes on.
    """

    batch_id: str
    source_name: str
    file_name: str
    known_at: datetime
    delivered_on: date | None
    is_first_load: bool
    landed: tuple[tuple[Path, datetime, datetime], ...] = ()
    snapshot: Path | None = None


@dataclass(frozen=True)
class Prepared:
    """What became of the rows of a file; `content_hash` ignores their order and the file's name."""

    delivered: int
    accepted: int
    quarantined: int
    duplicate: int
    filtered: int
    content_hash: str
    first_at: datetime | None
    last_at: datetime | None
    columns: tuple[str, ...]


def landed_columns(entity: Entity) -> dict[str, str]:
    """Columns of a landed row of facts, name to SQL type."""
    columns = {column.name: SQL_TYPES[column.type] for column in entity.columns}
    if entity.keeps_unknown_columns:
        columns["attributes"] = "VARCHAR"
    return columns


def marks(entity: Entity) -> dict[str, str]:
    """Columns that say where a landed row comes from, when it was known and, with a key, what is
    in it: `_row_hash` is equal for versions of equal content."""
    content = {"_row_hash": "VARCHAR"} if entity.key else {}
    return content | {
        "_known_at": "TIMESTAMPTZ",
        "_version_at": "TIMESTAMPTZ",
        "_file_name": "VARCHAR",
        "_batch_id": "VARCHAR",
        "_source": "VARCHAR",
        "_line": "BIGINT",
    }


def prepare(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    source: SourceConfig,
    mapping: EntityMapping,
    content: Content,
    bounds: Bounds,
    origin: Origin,
    folder: Path,
) -> Prepared:
    """Writes `rows.parquet` and, where rows are refused, `refused.parquet` into `folder`.

    Leaves the relations `source_rows` and `typed_rows` in the connection. Raises Refused where the
    mapping does not fit the file, duckdb.Error where a mapping's expression fails on a row.
    """
    folder.mkdir(parents=True, exist_ok=True)
    open_source(connection, content, source, mapping)
    bound = plan(connection, entity, source, mapping, content)
    typed = typed_rows(bound, source, bounds)
    rows = folder / "rows.parquet"
    # Large event files are typed again in each pass, so that memory stays bounded.
    kind = "view" if entity.name == EVENTS and content.rows > ROWS_AT_ONCE else "table"
    connection.execute(f"create or replace temp {kind} typed_rows as {typed}")
    if entity.name == EVENTS:
        find_event_repeats(connection, bound, origin.landed)
    else:
        find_repeats(connection, bound)
    accepted = _write_rows(connection, bound, origin, bounds.company, rows)
    mapped = content.rows - content.broken_rows
    if bound.where:
        mapped = count_rows(connection, f"select count(*) from source_rows where ({bound.where}\n)")
    repeats = count_rows(connection, "select count(*) from repeats")
    quarantined = mapped - repeats - accepted + content.broken_rows
    if quarantined:
        _write_refused(connection, bound, content, origin, folder / "refused.parquet")
    content_hash, first_at, last_at = _profile(connection, entity, rows)
    return Prepared(
        delivered=mapped + content.broken_rows,
        accepted=accepted,
        quarantined=quarantined,
        duplicate=repeats,
        filtered=content.rows - content.broken_rows - mapped,
        content_hash=content_hash,
        first_at=first_at,
        last_at=last_at,
        columns=tuple(landed_columns(entity)),
    )


def _write_rows(
    connection: duckdb.DuckDBPyConnection,
    bound: Plan,
    origin: Origin,
    company: Company,
    path: Path,
) -> int:
    facts = ", ".join(name(column) for column in landed_columns(bound.entity))
    version = ["updated_at"] if bound.has("updated_at") else []
    if origin.delivered_on:
        version.append(moment(company.end_of(origin.delivered_on)))
    kept = [
        f"{name(LINE)} not in (select {name(LINE)} from {table})"
        for table in ("repeats", "conflicts")
        if count_rows(connection, f"select count(*) from {table}")
    ]
    query = f"""
        select
            {facts},
            {row_hash(bound.entity)}
            {known_at(bound, origin, company)} as _known_at,
            cast({f"coalesce({', '.join(version)})" if version else "null"} as timestamptz)
                as _version_at,
            {_constant(origin.file_name)} as _file_name,
            {_constant(origin.batch_id)} as _batch_id,
            {_constant(origin.source_name)} as _source,
            {name(LINE)} as _line
        from typed_rows
        where {" and ".join(["problem is null", *kept])}
    """
    carried = find_carried(connection, bound, origin.snapshot)
    if carried:
        query += f"""
            union all by name
            select
                * replace (
                    {_constant(origin.file_name)} as _file_name,
                    {_constant(origin.batch_id)} as _batch_id,
                    null::bigint as _line
                )
            from carried
        """
    copied = connection.execute(
        f"copy ({query}) to {text(str(path))}"
        " (format parquet, compression snappy, parquet_version v2)"
    )
    return int(copied.fetchall()[0][0]) - carried


def row_hash(entity: Entity) -> str:
    """SQL of a text that stands for the contents of a keyed row, as a select item; else nothing."""
    if not entity.key:
        return ""
    facts = ", ".join(
        f"coalesce(cast({name(column)} as varchar), chr(30))" for column in landed_columns(entity)
    )
    return f"md5(concat_ws(chr(31), {facts})) as _row_hash,"


def _constant(value: str) -> str:
    # As an enum it costs next to nothing to write, and is read back as text.
    return f"{text(value)}::enum({text(value)})"


def known_at(bound: Plan, origin: Origin, company: Company) -> str:
    """SQL of the moment from which the company knew a row.

    When the source says so itself (recorded_at, updated_at: the later one, as the row is how it is
    only since then); else, in a first load, the row's own business time, a day counting from its
    start and never later than the batch for what may lie ahead; else the batch. Never before the
    event.
    """
    entity, batch = bound.entity, moment(origin.known_at)
    times = {column.name: column.type for column in all_columns(entity)}
    own = [column for column in ("updated_at", "recorded_at") if bound.has(column)]
    choices = [f"greatest({', '.join(own)})"] if own else []
    if origin.is_first_load:
        for column in (entity.booked_time, entity.business_time):
            if column and bound.has(column):
                if times[column] == "timestamp":
                    choices.append(name(column))
                else:
                    start = f"timezone({text(company.zone)}, cast({name(column)} as timestamp))"
                    choices.append(
                        f"case when {name(column)} is not null then least({start}, {batch}) end"
                    )
    known = f"coalesce({', '.join([*choices, batch])})"
    event = entity.business_time
    if event and bound.has(event) and times[event] == "timestamp":
        known = f"greatest({known}, {name(event)})"
    return known


def _write_refused(
    connection: duckdb.DuckDBPyConnection,
    bound: Plan,
    content: Content,
    origin: Origin,
    path: Path,
) -> None:
    line = name(LINE)
    key = ", ".join(bound.entity.key) or "event_id"
    broken = ""
    if content.broken:
        broken = f"""
            union all
            select line, null, reason, raw from read_parquet({text(str(content.broken))})
        """
    connection.execute(f"""
        copy (
            with refused as (
                select {line} as line, problem_column as column_name, problem as reason
                from typed_rows
                where problem is not null
                union all
                select {line}, {text(key)}, 'line ' || kept_line
                    || ' has the same key and other values, and nothing says which is newer'
                from conflicts
            ),
            rows_refused as (
                select
                    refused.line,
                    refused.column_name,
                    refused.reason,
                    {raw_row(content.columns)} as raw
                from refused
                inner join (select * from source_rows where {line} in (select line from refused))
                    on {line} = refused.line
                {broken}
            )
            select
                {text(bound.entity.name)} as entity,
                {text(origin.source_name)} as source,
                {text(origin.file_name)} as file_name,
                line::bigint as line,
                column_name as "column",
                reason,
                raw
            from rows_refused
            order by line
        ) to {text(str(path))} (format parquet)
    """)


def _profile(
    connection: duckdb.DuckDBPyConnection, entity: Entity, path: Path
) -> tuple[str, datetime | None, datetime | None]:
    """Content hash and span of business time of landed rows; days count from their start in UTC."""
    columns = ", ".join(
        name(column) for column in [*landed_columns(entity), "_known_at", "_version_at"]
    )
    time = (
        f"cast({name(entity.business_time)} as timestamptz)"
        if entity.business_time
        else "null::timestamptz"
    )
    total, count, first, last = connection.execute(
        f"select sum(cast(hash({columns}) as hugeint)), count(*), min({time}), max({time}) "
        f"from read_parquet({text(str(path))})"
    ).fetchall()[0]
    return f"{total or 0}:{count}", first, last
