"""Small typed frames from rows, and money from cents to text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

TEXT = pl.String()
WHOLE = pl.Int64()
NUMBER = pl.Float64()
FLAG = pl.Boolean()
DATE = pl.Date()
TIME = pl.Datetime("us")  # naive, in UTC
MONEY = pl.String()  # decimal text: exact

Columns = Mapping[str, pl.DataType]


def table(columns: Columns, rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """A frame of these columns; `rows` in the order of the columns."""
    return pl.DataFrame(list(rows), schema=dict(columns), orient="row")


def money(cents: int) -> str:
    """Whole cents as decimal text, such as 1234.50."""
    sign, cents = ("-" if cents < 0 else ""), abs(cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"
