"""Rows that name a customer, order or product no file has: a wrong join, seen before the night."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from ingest.contracts import ENTITIES
from ingest.sql import name, text

# Use may come long before its customer, so the contracts name no parent of it.
PARENTS_OF_USE = (("customer_id", "customers"), ("tenant_id", "tenants"))


def describe_orphans(landed: Mapping[str, Sequence[Path]]) -> Iterator[str]:
    """One line for each column that names strangers, or orders where none are read.

    `landed` are Parquet files by entity. Often two systems write one id differently, so the line
    has the parent most like the stranger.
    """
    with duckdb.connect() as connection:
        for entity in landed:
            for column, parent in _links(entity):
                if parent not in landed:
                    if parent == "orders":
                        yield f"{entity}: no orders are read; without them its rows tell nothing"
                    continue
                keys = [_keys(ENTITIES[parent].key[0], landed[parent])]
                if parent == "customers" and "customer_ids" in landed:
                    # An id of another system stands for a customer too.
                    keys.append(_keys("source_id", landed["customer_ids"]))
                connection.execute(
                    f"create or replace temp table parents as {' union '.join(keys)}"
                )
                connection.execute(
                    f"""
                    create or replace temp table children as
                    select {name(column)} as key, count(*) as row_count
                    from {_rows(landed[entity])} where key is not null group by key
                    """
                )
                lost, total, stranger = connection.execute(
                    """
                    select
                        sum(row_count) filter (parents.key is null),
                        sum(row_count),
                        min(children.key) filter (parents.key is null)
                    from children left join parents on children.key = parents.key
                    """
                ).fetchall()[0]
                if lost:
                    nearest = connection.execute(
                        """
                        select max_by(key, (jaro_winkler_similarity(lower(key), lower(?)), key))
                        from parents
                        """,
                        [stranger],
                    ).fetchall()[0][0]
                    yield (
                        f"{entity}: {column} of {lost:,} of {total:,} rows is in no row of "
                        f"{parent}, such as {stranger!r}; nearest there is {nearest!r}: do both "
                        "write ids alike?"
                    )


def _links(entity: str) -> Sequence[tuple[str, str]]:
    known = ENTITIES[entity]
    if known.parents or entity == "tenants":
        return known.parents
    return [link for link in PARENTS_OF_USE if link[0] in known.column_names and link[1] != entity]


def _keys(column: str, files: Sequence[Path]) -> str:
    return f"select {name(column)} as key from {_rows(files)}"


def _rows(files: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(text(str(file)) for file in files)}])"
