"""What a file holds, as a relation that DuckDB scans, and how rows of text become one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.refusals import Refused

LINE = "__line"
ROWS_A_CHUNK = 50_000


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


class Parts:
    """Collects rows and writes them as numbered Parquet files, so that memory stays bounded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._columns: list[str] = []
        self._rows: list[list[str | None]] = []
        self._lines: list[int] = []
        self._broken: list[tuple[int, str, str]] = []
        self._written = self.rows = 0
        for old in folder.glob("*.parquet"):
            old.unlink()

    def add(self, line: int, row: list[str | None]) -> None:
        self._rows.append(row)
        self._lines.append(line)
        if len(self._rows) >= ROWS_A_CHUNK:
            self.flush()

    def add_broken(self, line: int, reason: str, raw: str) -> None:
        self._broken.append((line, reason, raw[:10_000]))

    @property
    def first_broken(self) -> str | None:
        """The first row that does not parse."""
        return self._broken[0][2] if self._broken else None

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

    def content(self) -> Content:
        self.flush()
        broken = None
        if self._broken:
            broken = self._folder / "broken.parquet"
            columns = [pa.array(column) for column in zip(*self._broken, strict=True)]
            pq.write_table(pa.table(columns, names=["line", "reason", "raw"]), broken)
        files = f"{self._folder}/part-*.parquet".replace("'", "''")
        return Content(
            relation=f"select * from read_parquet('{files}', union_by_name = true)",
            columns=tuple(self._columns),
            is_text=True,
            rows=self.rows + len(self._broken),
            broken=broken,
            broken_rows=len(self._broken),
        )

    def _write(self, table: pa.Table) -> None:
        pq.write_table(table, self._folder / f"part-{self._written:06}.parquet", compression="lz4")
        self._written += 1
        self.rows += table.num_rows


def check_names(columns: list[str]) -> None:
    """Refuses a header that has a name twice, or one of ours."""
    seen: set[str] = set()
    for name in columns:
        if name.lower() in seen:
            raise Refused(f"its header has {name!r} twice")
        seen.add(name.lower())
    if LINE in seen:
        raise Refused(f"its header has the reserved name {LINE}")
