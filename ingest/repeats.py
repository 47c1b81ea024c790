"""Rows that say again what is known: exact repeats, rival values of a key, events seen before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from ingest.content import LINE
from ingest.contracts import all_columns
from ingest.mapping import Plan
from ingest.sql import moment, name, text


def find_repeats(connection: duckdb.DuckDBPyConnection, bound: Plan) -> None:
    """`repeats`: lines that say again what an earlier line says. `conflicts`: lines that give a key
    other values than the line that is kept, with nothing to tell which is newer."""
    entity = bound.entity
    columns = [column.name for column in all_columns(entity)]
    content = ", ".join(name(column) for column in [*columns, "attributes"])
    key = ", ".join(name(column) for column in [*entity.key, "updated_at"])
    total = ", ".join(f"{name(column)} desc nulls last" for column in [*columns, "attributes"])
    connection.execute(f"""
        create or replace temp table numbered as
        select *,
            row_number() over (partition by {key} order by {total}, {name(LINE)}) as place
        from (
            select *, row_number() over (partition by {content} order by {name(LINE)}) as copy
            from typed_rows
            where problem is null
        )
        where copy = 1
    """)
    connection.execute(f"""
        create or replace temp table conflicts as
        select others.{name(LINE)}, kept.{name(LINE)} as kept_line
        from numbered as others
        inner join numbered as kept
            on kept.place = 1 and others.place > 1 and {_same(["updated_at", *entity.key])}
    """)
    connection.execute(f"""
        create or replace temp table repeats as
        select {name(LINE)} from typed_rows
        where problem is null and {name(LINE)} not in (select {name(LINE)} from numbered)
    """)
    connection.execute("drop table numbered")


def _same(columns: Sequence[str]) -> str:
    return " and ".join(
        f"others.{name(column)} is not distinct from kept.{name(column)}" for column in columns
    )


def find_event_repeats(
    connection: duckdb.DuckDBPyConnection,
    bound: Plan,
    landed: Sequence[tuple[Path, datetime, datetime]],
) -> None:
    """`repeats`: lines of events that other files landed before, or that stand twice with their id.
    `conflicts`: lines that give an id other values than the line that is kept.

    A batch adds max(0, m - k) of a row that stands m times in it and k times in what is landed.
    Only landed files whose span of time overlaps are read, and only the overlap.
    """
    line = name(LINE)
    connection.execute(f"create or replace temp table conflicts ({line} bigint, kept_line bigint)")
    connection.execute(f"create or replace temp table repeats ({line} bigint)")
    if bound.has("event_id"):
        columns = ", ".join(name(column.name) for column in all_columns(bound.entity))
        connection.execute(f"""
            create or replace temp table same_id as
            select
                {line},
                first({line}) over id as kept_line,
                content = first(content) over id
                    or updated_at is distinct from first(updated_at) over id as is_repeat,
                row_number() over id as place
            from (
                select {line}, event_id, updated_at, hash({columns}) as content
                from typed_rows
                where problem is null and hash(event_id) in (
                    select hash(event_id) from typed_rows
                    where problem is null and event_id is not null
                    group by all having count(*) > 1
                )
            )
            window id as (
                partition by event_id order by updated_at desc nulls last, content, {line}
            )
        """)
        connection.execute(f"""
            insert into repeats select {line} from same_id where place > 1 and is_repeat;
            insert into conflicts select {line}, kept_line from same_id where not is_repeat;
            drop table same_id
        """)
    if not landed:
        return
    first, last = connection.execute(
        "select min(occurred_at), max(occurred_at) from typed_rows where problem is null"
    ).fetchall()[0]
    near = [
        (path, start, end)
        for path, start, end in landed
        if first and start <= last and end >= first
    ]
    if not near:
        return
    since = moment(max(first, min(start for _, start, _ in near)))
    until = moment(min(last, max(end for _, _, end in near)))
    paths = ", ".join(text(str(path)) for path, _, _ in near)
    columns = ", ".join(name(column) for column in bound.entity.column_names)
    # Two hashes stand for an event: its id where it has one, else all its values.
    mark = f"""
        case when event_id is null then hash({columns}) else hash(event_id) end as mark_a,
        case when event_id is null then hash('b', {columns}) else hash('b', event_id) end as mark_b,
        event_id is not null as has_id
    """
    span = f"occurred_at between {since} and {until}"
    connection.execute(f"""
        insert into repeats
        with known as (
            select mark_a, mark_b, count(*) as copies
            from (select {mark} from read_parquet([{paths}], union_by_name = true) where {span})
            group by all
        ),
        candidates as (
            select {line}, mark_a, mark_b, has_id
            from (select {line}, {mark} from typed_rows where problem is null and {span})
            where mark_a in (select mark_a from known)
                and {line} not in (from repeats)
                and {line} not in (select {line} from conflicts)
        ),
        numbered as (
            select *, row_number() over (partition by mark_a, mark_b order by {line}) as place
            from candidates
        )
        select numbered.{line}
        from numbered
        inner join known using (mark_a, mark_b)
        where numbered.has_id or numbered.place <= known.copies
    """)


def find_carried(connection: duckdb.DuckDBPyConnection, bound: Plan, snapshot: Path | None) -> int:
    """`carried`: rows of the snapshot before whose key is here, but only in refused rows."""
    if snapshot is None:
        return 0
    keys = ", ".join(name(column) for column in bound.entity.key)
    connection.execute(f"""
        create or replace temp table carried as
        from read_parquet({text(str(snapshot))})
        semi join (select {keys} from typed_rows where problem is not null) as refused
            using ({keys})
        anti join (select {keys} from typed_rows where problem is null) as accepted
            using ({keys})
    """)
    return count_rows(connection, "select count(*) from carried")


def count_rows(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
