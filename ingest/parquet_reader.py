"""A Parquet file as a relation with its own types, scanned where it lies."""

from __future__ import annotations

import duckdb

from ingest.config import SourceConfig
from ingest.content import LINE, Content, check_names
from ingest.files import Taken
from ingest.refusals import Refused, one_line
from ingest.streams import SMALL


def read_parquet(
    connection: duckdb.DuckDBPyConnection, taken: Taken, source: SourceConfig
) -> Content:
    with taken.path.open("rb") as stream:
        head = stream.read(2048)
        stream.seek(max(0, taken.bytes - 4))
        tail = stream.read(4)
    if head[:4] != b"PAR1":
        page = head.lstrip().lower().startswith((b"<!doctype html", b"<html"))
        raise Refused("is a web page, not data" if page else "is not a Parquet file")
    if tail != b"PAR1" or taken.bytes < 12:
        raise Refused("is a Parquet file that was cut")
    path = str(taken.path).replace("'", "''")
    relation = f"read_parquet('{path}', binary_as_string = true, file_row_number = true)"
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()
        rows, unpacked = connection.execute(
            "select (select num_rows from parquet_file_metadata(?)),"
            " (select coalesce(sum(total_uncompressed_size), 0) from parquet_metadata(?))",
            [str(taken.path)] * 2,
        ).fetchall()[0]
    except duckdb.Error as error:
        raise Refused(f"is not a readable Parquet file: {one_line(error)}") from error
    if unpacked > max(SMALL, taken.bytes * source.limits.max_expansion_ratio):
        raise Refused("unpacks to more than max_expansion_ratio allows")
    columns = [name for name, *_ in described if name != "file_row_number"]
    check_names(columns)
    return Content(
        relation=(
            f"select * exclude (file_row_number), file_row_number + 1 as {LINE} from {relation}"
        ),
        columns=tuple(columns),
        is_text=False,
        rows=int(rows),
        broken=None,
        broken_rows=0,
    )
