"""Tonight's tables as ordered, typed Parquet: the source of the published file and the CSV twins.

Every published form is made from these, so they cannot differ.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from exports.private_file import Night, Relation, literal, quoted
from exports.tables import Export

KEPT_TYPES = (
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DATE",
    "TIMESTAMP WITH TIME ZONE",
    "VARCHAR",
)


@dataclass(frozen=True)
class StagedTable:
    """One table as Parquet: columns with DuckDB types in published order, rows in key order."""

    export: Export
    path: Path
    columns: dict[str, str]
    row_count: int


def stage_tables(
    connection: duckdb.DuckDBPyConnection,
    exports: Iterable[Export],
    relations: dict[str, Relation],
    night: Night,
    folder: Path,
) -> list[StagedTable]:
    """Writes `<folder>/<table>.parquet` for every export, `run_id` last (in `runs` it is the key).

    Rows stand in key order, or ordered by every column where the table has no key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    staged = []
    for export in exports:
        relation = relations[export.name]
        path = folder / f"{export.name}.parquet"
        connection.execute(
            f"copy ({_select_ordered(export, relation, night)}) to {literal(path)}"
            " (format parquet, row_group_size 122880)"
        )
        described = connection.execute(
            f"describe select * from read_parquet({literal(path)})"
        ).fetchall()
        count = connection.execute(f"select count(*) from read_parquet({literal(path)})").fetchone()
        assert count is not None
        staged.append(
            StagedTable(export, path, {row[0]: row[1] for row in described}, int(count[0]))
        )
    return staged


def _select_ordered(export: Export, relation: Relation, night: Night) -> str:
    own_run_id = "run_id" in export.key
    columns = [
        f"{_typed(name, data_type)} as {quoted(name)}"
        for name, data_type in relation.columns.items()
        if own_run_id or name != "run_id"
    ]
    if not own_run_id:
        columns.append(f"{literal(night.run_id)} as run_id")
    ordering = ", ".join(f"{quoted(name)} asc nulls last" for name in export.key)
    return (
        f"select {', '.join(columns)} from {relation.path}"
        f" order by {ordering or 'all asc nulls last'}"
    )


def _typed(name: str, data_type: str) -> str:
    """The column in a type that Parquet, DuckDB 1.5 and CSV all carry."""
    column = quoted(name)
    if data_type in KEPT_TYPES or data_type.startswith("DECIMAL") or _is_nested(data_type):
        return column
    if data_type in ("HUGEINT", "UHUGEINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT"):
        # Parquet would hold a HUGEINT (a sum of whole numbers) as DOUBLE
        return f"cast({column} as bigint)"
    if data_type.startswith("TIMESTAMP"):
        return f"cast({column} as timestamptz)"
    return f"cast({column} as varchar)"


def _is_nested(data_type: str) -> bool:
    return data_type.endswith("]") or data_type.startswith(("STRUCT", "MAP"))
