"""The DuckDB in which files are looked into: one instance in memory, a cursor for each file."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingest.refusals import QUERY_STOPPED


@contextmanager
def scratch(
    spill: Path | None = None, memory_limit: str = "2GB", threads: int = 2
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose temporary tables end with it; moments are read in UTC.

    `spill` takes what does not fit into memory. KeyboardInterrupt where a query was asked to stop:
    that is no fault of the file it read.
    """
    cursor = _instance(str(spill or ""), memory_limit, threads).cursor()
    try:
        cursor.execute("set TimeZone = 'UTC'")
        yield cursor
    except RuntimeError as error:
        if str(error) == QUERY_STOPPED:
            raise KeyboardInterrupt from error
        raise
    finally:
        cursor.close()


# To start a DuckDB costs as much as to land a small file.
@functools.lru_cache(maxsize=2)
def _instance(spill: str, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "threads": str(threads),
            "temp_directory": spill,
            # Each file is read once, and temporary files come again under the same name.
            "enable_external_file_cache": "false",
        }
    )
