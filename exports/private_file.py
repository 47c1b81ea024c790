"""The night's private file as exports see it: who tonight is, where each table stands."""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from exports.tables import TABLE_SCHEMAS

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True)
class Night:
    """Tonight, as `raw.night` says."""

    as_of_date: dt.date
    run_id: str
    previous_night: dt.date | None
    code_version: str | None
    rules_version: str | None
    is_reconstructed: bool


@dataclass(frozen=True)
class Relation:
    """A table or view of the private file: its schema, and its columns with DuckDB types."""

    schema: str
    name: str
    columns: dict[str, str]

    @property
    def path(self) -> str:
        """Its quoted name in the attached private file."""
        return f"{quoted('night')}.{quoted(self.schema)}.{quoted(self.name)}"


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | Path) -> str:
    """A SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def open_private(build_file: Path) -> duckdb.DuckDBPyConnection:
    """A connection with the private file attached read-only as `night`.

    One thread, so that every result has one order. Raises FileNotFoundError when there is no file.
    """
    if not build_file.is_file():
        raise FileNotFoundError(f"{build_file}: the night has not been built")
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    # a large sort spills beside the private file, not into the current folder
    connection.execute(f"set temp_directory = {literal(build_file.parent / 'spill')}")
    connection.execute(f"attach {literal(build_file)} as night (read_only)")
    return connection


def read_night(connection: duckdb.DuckDBPyConnection) -> Night:
    """Tonight from `raw.night`. Raises ValueError unless it holds exactly one usable row."""
    rows = connection.execute(
        "select as_of_date, run_id, previous_night, code_version, rules_version,"
        " is_reconstructed from night.raw.night"
    ).fetchall()
    if len(rows) != 1:
        raise ValueError(f"raw.night holds {len(rows)} rows, it must hold one")
    as_of_date, run_id, previous_night, code_version, rules_version, is_reconstructed = rows[0]
    if as_of_date is None or not RUN_ID.fullmatch(run_id or ""):
        raise ValueError(f"raw.night has no usable as_of_date and run_id ({as_of_date}, {run_id})")
    return Night(
        as_of_date, run_id, previous_night, code_version, rules_version, bool(is_reconstructed)
    )


def find_relations(connection: duckdb.DuckDBPyConnection) -> dict[str, Relation]:
    """Every relation of the schemas that publish, by name."""
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        " where database_name = 'night' and not internal"
        " order by schema_name, table_name, column_index"
    ).fetchall()
    columns: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, data_type in rows:
        columns.setdefault((schema, table), {})[column] = data_type
    relations: dict[str, Relation] = {}
    for schema in reversed(TABLE_SCHEMAS):
        for (found, table), types in columns.items():
            if found == schema:
                relations[table] = Relation(schema, table, types)
    return relations
