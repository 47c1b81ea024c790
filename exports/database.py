"""The published DuckDB file: the same night gives the same bytes."""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from exports.descriptions import Description
from exports.private_file import literal, quoted
from exports.staging import StagedTable

# The newest storage version without a random identifier in the file's header; DuckDB 1.3 and
# later read it.
STORAGE_VERSION = "v1.3.0"

# Block buffers from one zeroed region of the connection's own: from the general heap, the gaps
# between string segments would carry whatever lay there before into the file.
BLOCK_MEMORY = "2GB"


def write_database(
    path: Path, tables: Iterable[StagedTable], descriptions: dict[str, Description]
) -> None:
    """Writes the tables with comments into the new file `path`, in schema main, without indexes.

    Raises FileExistsError when the file is there.
    """
    if path.exists():
        raise FileExistsError(path)
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "block_allocator_memory": BLOCK_MEMORY,
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"attach {literal(path)} as published (storage_version '{STORAGE_VERSION}')"
        )
        # one transaction: each of some hundred comments would wait for the disk by itself
        connection.execute("begin")
        for table in tables:
            name = f"published.main.{quoted(table.export.name)}"
            connection.execute(
                f"create table {name} as select * from read_parquet({literal(table.path)})"
            )
            description = descriptions.get(table.export.name, Description())
            if description.text:
                connection.execute(f"comment on table {name} is {literal(description.text)}")
            for column in table.columns:
                if description.column(column):
                    connection.execute(
                        f"comment on column {name}.{quoted(column)}"
                        f" is {literal(description.column(column))}"
                    )
        connection.execute("commit")
        connection.execute("checkpoint published")
        connection.execute("detach published")


def holds_the_same(one: Path, other: Path) -> bool:
    """Do two published files hold the same tables, comments and rows, whatever their bytes?

    DuckDB leaves old memory in the gaps between strings, which the settings above mostly but not
    always keep out. A file that cannot be read holds nothing.
    """
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {literal(one)} as one (read_only)")
            connection.execute(f"attach {literal(other)} as other (read_only)")
            described = [
                connection.execute(
                    "select table_name, column_name, data_type, comment from duckdb_columns()"
                    f" where database_name = '{name}' order by table_name, column_index"
                ).fetchall()
                for name in ("one", "other")
            ]
            columns: dict[str, list[str]] = {}
            for table, column, *_ in described[0]:
                columns.setdefault(table, []).append(column)
            return described[0] == described[1] and all(
                _digest(connection, "one", table, columns[table])
                == _digest(connection, "other", table, columns[table])
                for table in columns
            )
    except duckdb.Error:
        return False


def _digest(
    connection: duckdb.DuckDBPyConnection, database: str, table: str, columns: list[str]
) -> tuple[object, ...] | None:
    """The same for the same rows in any order, without ever holding them."""
    listed = ", ".join(map(quoted, columns))
    return connection.execute(
        f"select count(*), sum(hash({listed})) from {database}.main.{quoted(table)}"
    ).fetchone()
