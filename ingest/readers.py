"""Reads a taken file into a relation that DuckDB scans: text columns for CSV and JSONL, else typed.

Text goes through the csv and json modules in one streaming pass into temporary Parquet, because
every row needs the exact number of the line it starts on, and a row that does not parse must cost
that row only.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import duckdb
import pyarrow as pa

from ingest.config import SourceConfig
from ingest.content import Content, Parts
from ingest.csv_reader import read_csv
from ingest.files import Promise, Taken
from ingest.jsonl_reader import read_jsonl
from ingest.parquet_reader import read_parquet
from ingest.refusals import Refused, one_line
from ingest.streams import Text, unpacked


def read(
    connection: duckdb.DuckDBPyConnection,
    taken: Taken,
    said: Promise,
    name: str,
    source: SourceConfig,
    folder: Path,
) -> Content:
    """Reads a whole file; raises Refused with one line where it cannot be trusted.

    `name` is the file's name at the source, `folder` takes temporary files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if source.format == "parquet":
        return read_parquet(connection, taken, source)
    parts = Parts(folder)
    text = None
    try:
        with unpacked(taken, name, source) as stream:
            text = Text(stream, source)
            if source.format == "jsonl":
                read_jsonl(text, parts)
            else:
                read_csv(text, source, parts)
    except UnicodeError as error:
        place = _where(error) + (f" after line {text.count}" if text and text.count else "")
        raise Refused(
            f"is not {source.encoding}: {place}; say otherwise with `encoding:`, such as "
            "windows-1252 or gb18030"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Refused(f"is not a complete gzip file: {one_line(error)}") from error
    except (ValueError, KeyError, OSError, RecursionError, pa.ArrowException) as error:
        raise Refused(f"cannot be read: {one_line(error)}") from error
    is_vouched_for = said.is_whole or not source.needs_final_newline
    if not is_vouched_for and text.last and text.last[-1] not in "\r\n":
        raise Refused(
            f"its last line ({text.count}) is not ended, so it may be cut "
            "(deliver a manifest, or set needs_final_newline: false)"
        )
    return parts.content()


def _where(error: UnicodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{error.object[error.start]:02x}"
    return one_line(error)
