"""Writes frames as the files systems deliver, and counts every row that is wrong on purpose.

The same frames give the same bytes: text is formatted here, gzip and Parquet carry no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl


@dataclass(frozen=True)
class BadRow:
    """A row that breaks its contract. `line` as in the file: a CSV's header is line 1, a JSONL's
    first row is line 1, a Parquet file's first row is row 1. `column` is the canonical name."""

    file: str
    line: int
    entity: str
    column: str
    reason: str


@dataclass(frozen=True)
class FileFact:
    """What a file holds: all data rows, those that are bad, those that repeat others."""

    file: str
    entity: str
    source: str
    rows: int
    bad: int
    duplicate: int


@dataclass
class Manifest:
    files: list[FileFact] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)


@dataclass(frozen=True)
class Fault:
    """A row to spoil: a copy of a good one under a new key, with `value` in `column`."""

    column: str
    value: str | None
    reason: str


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Every value as text: ISO dates, UTC moments ending in Z, true and false."""
    columns = []
    for name, type_ in frame.schema.items():
        column = pl.col(name)
        if type_ == pl.Datetime:
            column = column.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif type_ == pl.Boolean:
            column = pl.when(column).then(pl.lit("true")).when(~column).then(pl.lit("false"))
            column = column.alias(name)
        elif type_ == pl.Float64:
            whole = column == column.round(0)
            column = (
                pl.when(whole).then(column.cast(pl.Int64).cast(pl.String))
                .otherwise(column.cast(pl.String)).alias(name)
            )  # fmt: skip
        columns.append(column.cast(pl.String))
    return frame.select(columns)


def spoil(
    text: pl.DataFrame, key: Sequence[str], faults: Sequence[Fault]
) -> tuple[pl.DataFrame, list[int]]:
    """The frame with a spoiled row for each fault; returns the row numbers (from 0) too.

    The copies get keys of their own (`BAD-1`, …), so that no good row is disturbed.
    """
    places: list[int] = []
    for number, fault in enumerate(faults, start=1):
        at = (len(text) * number) // (len(faults) + 1) + number
        at = min(at, len(text))
        model = text.slice(len(text) // 2, 1)
        changes = {fault.column: fault.value}
        if key[0].endswith("_id") and key[0] != fault.column:
            changes = {key[0]: f"BAD-{number}", **changes}
        row = model.with_columns(
            [pl.lit(value, dtype=pl.String).alias(name) for name, value in changes.items()]
        )
        text = pl.concat([text.slice(0, at), row, text.slice(at)])
        places = [place + (place >= at) for place in places] + [at]
    return text, places


def write_text(path: Path, text: pl.DataFrame, names: Mapping[str, str], format_: str) -> None:
    """Write a text frame under the source's own column names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    renamed = text.rename({old: new for old, new in names.items() if old in text.columns})
    if format_ == "csv":
        renamed.write_csv(path, line_terminator="\n")
    else:
        renamed.write_ndjson(path)


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path, compression="zstd", statistics=True, row_group_size=500_000)
