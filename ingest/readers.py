"""Reads a taken file into a relation that DuckDB scans: text columns for CSV and JSONL, else typed.

Text goes through the csv and json modules in one streaming pass into temporary Parquet, because
every row needs the exact number of the line it starts on, and a row that does not parse must cost
that row only.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from ingest.config import SourceConfig
from ingest.files import Promise, Refused, Taken, one_line
from ingest.streams import SMALL, Text, Watched, unpacked

ROWS_A_CHUNK = 50_000


LONGEST_FIELD = 2**18

LINE = "__line"


@dataclass(frozen=True)
class Content:
    """What a file holds.

    `relation` is SQL that selects column `__line` and the source's `columns`; `broken` is a Parquet
    file of (line, reason, raw), the rows that do not parse; `rows` counts both kinds.
    """

    relation: str
    columns: tuple[str, ...]
    is_text: bool
    rows: int
    broken: Path | None
    broken_rows: int


@dataclass(frozen=True)
class Broken:
    line: int
    reason: str
    raw: str


Row = tuple[int, list[str | None]]


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
        return _read_parquet(connection, taken, source)
    parts = _Parts(folder)
    text = None
    try:
        with unpacked(taken, name, source) as stream:
            text = Text(stream, source)
            read_rows = _read_jsonl if source.format == "jsonl" else _read_csv
            columns = read_rows(text, source, parts)
    except UnicodeError as error:
        place = f"{_where(error)} after line {text.count if text else 0}"
        raise Refused(f"is not {source.encoding}: {place}") from error
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
    return parts.content(columns)


class _Parts:
    """Collects rows and writes them as numbered Parquet files, so that memory stays bounded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._columns: list[str] = []
        self._rows: list[list[str | None]] = []
        self._lines: list[int] = []
        self._broken: list[Broken] = []
        self._written = self.rows = 0
        for old in folder.glob("*.parquet"):
            old.unlink()

    def add(self, line: int, row: list[str | None]) -> None:
        self._rows.append(row)
        self._lines.append(line)
        if len(self._rows) >= ROWS_A_CHUNK:
            self.flush()

    def add_broken(self, line: int, reason: str, raw: str) -> None:
        self._broken.append(Broken(line, reason, raw[:10_000]))

    def start(self, columns: list[str]) -> None:
        """Names the columns of the rows that follow; may grow between rows (JSONL)."""
        self._columns = columns

    def add_table(self, first_line: int, table: pa.Table) -> None:
        """Adds rows that stand one a line."""
        self.flush()
        lines = pa.array(range(first_line, first_line + table.num_rows), pa.int64())
        self._write(table.add_column(0, LINE, lines))

    def flush(self) -> None:
        if not self._rows and self._written:
            return
        width = len(self._columns)
        for row in self._rows:
            if len(row) < width:
                row.extend([None] * (width - len(row)))
        values: list[Any] = list(zip(*self._rows, strict=True)) or [()] * width
        arrays = [pa.array(self._lines, pa.int64())]
        arrays += [pa.array(column, pa.string()) for column in values]
        self._write(pa.Table.from_arrays(arrays, names=[LINE, *self._columns]))
        self._rows, self._lines = [], []

    def _write(self, table: pa.Table) -> None:
        pq.write_table(table, self._folder / f"part-{self._written:06}.parquet", compression="lz4")
        self._written += 1
        self.rows += table.num_rows

    def content(self, columns: list[str]) -> Content:
        self.flush()
        broken = None
        if self._broken:
            broken = self._folder / "broken.parquet"
            pq.write_table(
                pa.table(
                    {
                        "line": pa.array([row.line for row in self._broken], pa.int64()),
                        "reason": [row.reason for row in self._broken],
                        "raw": [row.raw for row in self._broken],
                    }
                ),
                broken,
            )
        files = f"{self._folder}/part-*.parquet".replace("'", "''")
        return Content(
            relation=f"select * from read_parquet('{files}', union_by_name = true)",
            columns=tuple(columns),
            is_text=True,
            rows=self.rows + len(self._broken),
            broken=broken,
            broken_rows=len(self._broken),
        )


def _read_csv(text: Text, source: SourceConfig, parts: _Parts) -> list[str]:
    """Blocks without quotes, ragged or blank lines are parsed whole, the others row by row."""
    columns = list(source.header or _header(_records(Watched(text.lines(), 0), source)))
    parts.start(columns)
    while block := text.block():
        table = _plain_table(block, source, columns)
        if table is not None:
            parts.add_table(text.count + 1, table)
            text.count += table.num_rows
        elif source.quote and source.quote in block:
            # A quoted value may go on in the next block, so the rest is read as one.
            rest = chain(io.StringIO(block, newline=""), iter(text.line, ""))
            text.count = _add_rows(Watched(rest, text.count), source, parts, len(columns))
        else:
            lines = Watched(io.StringIO(block, newline=""), text.count)
            text.count = _add_rows(lines, source, parts, len(columns))
    return columns


def _add_rows(lines: Watched, source: SourceConfig, parts: _Parts, width: int) -> int:
    """Adds rows one by one; gives the number of the last line."""
    for line, row, problem in _records(lines, source):
        if problem is None and len(row) == width:
            parts.add(line, cast(list[str | None], row))
        else:
            reason = problem or f"has {len(row)} fields, the header has {width}"
            parts.add_broken(line, reason, json.dumps(row, ensure_ascii=False))
    return lines.count


def _plain_table(block: str, source: SourceConfig, columns: list[str]) -> pa.Table | None:
    """The rows of a block of one row a line, None where it is not that simple."""
    is_simple = len(source.delimiter) == 1 and source.delimiter.isascii() and len(columns) > 1
    has_quotes = source.quote and source.quote in block
    if not is_simple or has_quotes or block.count("\r") != block.count("\r\n"):
        return None
    try:
        table = pacsv.read_csv(
            pa.BufferReader(block.encode()),
            pacsv.ReadOptions(column_names=columns, use_threads=False, block_size=2**30),
            pacsv.ParseOptions(
                delimiter=source.delimiter, quote_char=False, ignore_empty_lines=True
            ),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowException:
        return None
    lines = block.count("\n") + (not block.endswith("\n"))
    return table if table.num_rows == lines else None


def _records(lines: Watched, source: SourceConfig) -> Iterator[tuple[int, list[str], str | None]]:
    """(first line, fields, problem) of every record; blank lines are no records."""
    if source.delimiter == "whitespace":
        for line in lines:
            lines.since_mark.clear()
            if fields := line.split():
                yield lines.count, fields, None
        return
    csv.field_size_limit(LONGEST_FIELD)
    quoting: dict[str, Any] = (
        {"quotechar": source.quote} if source.quote else {"quoting": csv.QUOTE_NONE}
    )
    reader = csv.reader(lines, delimiter=source.delimiter, strict=True, **quoting)
    while True:
        lines.since_mark.clear()
        first = lines.count + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if not lines.since_mark:
                return
            # An unclosed quote runs on over good rows: only the line it stands on is bad.
            text = lines.since_mark[0]
            lines.take_back()
            reader = csv.reader(lines, delimiter=source.delimiter, strict=True, **quoting)
            yield first, [text.rstrip("\r\n")], f"cannot be parsed: {error}"
            continue
        if len(row) > 1 or (row and row[0].strip()):
            yield first, row, None


def _header(rows: Iterator[tuple[int, list[str], str | None]]) -> list[str]:
    first = next(rows, None)
    if first is None:
        raise Refused("is empty, it has not even a header")
    _, names, problem = first
    if problem:
        raise Refused(f"its header {problem}")
    columns = [name.strip() or f"column_{place}" for place, name in enumerate(names, start=1)]
    _check_names(columns)
    return columns


def _check_names(columns: list[str]) -> None:
    seen: set[str] = set()
    for name in columns:
        if name.lower() in seen:
            raise Refused(f"its header has {name!r} twice")
        seen.add(name.lower())
    if LINE in seen:
        raise Refused(f"its header has the reserved name {LINE}")


def _read_jsonl(text: Text, _: SourceConfig, parts: _Parts) -> list[str]:
    places: dict[str, int] = {}
    columns: list[str] = []
    for line in text.lines():
        if not line.strip():
            continue
        try:
            thing = _parse(line)
            if "\\u" in line:
                # Half of a surrogate pair is JSON, but no text that can be stored.
                json.dumps(thing, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            parts.add_broken(text.count, f"is not JSON: {one_line(error)}", line.rstrip("\r\n"))
            continue
        if not isinstance(thing, dict):
            parts.add_broken(text.count, "is not a JSON object", line.rstrip("\r\n"))
            continue
        row: list[str | None] = [None] * len(columns)
        for name, value in thing.items():
            if name not in places:
                places[name] = len(columns)
                columns.append(name)
                _check_names(columns)
                parts.start(columns)
                row.append(None)
            row[places[name]] = _text(value)
        parts.add(text.count, row)
    return columns


class _Number(str):
    """The digits of a JSON number as they were written."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("it has a key twice")
    return members


_parse: Callable[[str], Any] = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_float=_Number,
    parse_int=_Number,
    parse_constant=lambda name: None,
).decode


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Numbers kept as text become numbers again before nested JSON is written."""
    if isinstance(value, _Number):
        return int(value) if value.lstrip("-").isdigit() else float(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _read_parquet(
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
    _check_names(columns)
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


def _where(error: UnicodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{error.object[error.start]:02x}"
    return one_line(error)
