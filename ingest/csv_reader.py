"""Rows of a CSV file, each with the line it starts on; a row that does not parse costs itself."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, cast

import pyarrow as pa
import pyarrow.csv as pacsv

from ingest.config import SourceConfig
from ingest.content import Parts, check_names
from ingest.refusals import Refused
from ingest.streams import Text

LONGEST_FIELD = 2**18
HEADER_SHOWN = 80
# What separates fields in practice, as a configuration writes it.
DELIMITERS = {",": '","', ";": '";"', "\t": '"\\t"', "|": '"|"'}


def read_csv(text: Text, source: SourceConfig, parts: Parts) -> None:
    """Blocks without quotes, ragged or blank lines are parsed whole, the others row by row."""
    columns = list(source.header or _header(_Watched(text.lines(), 0), source))
    parts.start(columns)
    while block := text.block():
        table = _plain_table(block, source, columns)
        if table is not None:
            parts.add_table(text.count + 1, table)
            text.count += table.num_rows
            continue
        lines: Iterable[str] = io.StringIO(block, newline="")
        if source.quote and source.quote in block:
            # A quoted value may go on in the next block, so the rest is read as one.
            lines = chain(lines, iter(text.line, ""))
        text.count = _add_rows(_Watched(lines, text.count), source, parts, len(columns))


def _add_rows(lines: _Watched, source: SourceConfig, parts: Parts, width: int) -> int:
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


def _records(lines: _Watched, source: SourceConfig) -> Iterator[tuple[int, list[str], str | None]]:
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


def _header(lines: _Watched, source: SourceConfig) -> list[str]:
    first = next(_records(lines, source), None)
    if first is None:
        raise Refused("is empty, it has not even a header")
    _, names, problem = first
    if problem:
        raise Refused(f"its header {problem}")
    if len(names) == 1 and (other := _other_delimiter(names[0])):
        raise Refused(
            f"its header is one column and looks separated by {other}; write `delimiter: {other}` "
            f"beside the source's `format:` (found {names[0][:HEADER_SHOWN]!r})"
        )
    columns = [name.strip() or f"column_{place}" for place, name in enumerate(names, start=1)]
    columns = list(_told_apart(columns))
    check_names(columns)
    return columns


def _told_apart(columns: list[str]) -> Iterator[str]:
    """Names that stand once as they are, others with their place: "Amount (1)", "Amount (2)"."""
    folded = [column.lower() for column in columns]
    for place, column in enumerate(columns, start=1):
        key = column.lower()
        is_repeated = folded.count(key) > 1
        yield f"{column} ({folded[:place].count(key)})" if is_repeated else column


def _other_delimiter(column: str) -> str | None:
    """The separator, as a configuration writes it, that stands most often in a column's name."""
    counts = {written: column.count(mark) for mark, written in DELIMITERS.items()}
    most = max(counts, key=lambda written: counts[written])
    return most if counts[most] else None


class _Watched:
    """An iterator of lines that counts them and can take back all but the first since a mark."""

    def __init__(self, lines: Iterable[str], count: int) -> None:
        self._lines, self._again = iter(lines), cast(list[str], [])
        self.since_mark: list[str] = []
        self.count = count

    def __iter__(self) -> _Watched:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._lines)
        self.count += 1
        self.since_mark.append(line)
        return line

    def take_back(self) -> None:
        """What followed the first line since the mark is read again."""
        self.count -= len(self.since_mark) - 1
        self._again.extend(reversed(self.since_mark[1:]))
