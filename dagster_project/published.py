"""Reading what was published: never locked, never half-written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import duckdb
from rich.cells import cell_len
from rich.table import Table

from dagster_project.config import ConfigurationError
from dagster_project.home import Home
from dagster_project.terminal import OUT, print_json

Row = dict[str, Any]


@contextmanager
def published(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the last night; raises ConfigurationError when there is none."""
    if not home.published_file.exists():
        raise ConfigurationError(
            f"{home.published_file}: nothing is published yet; run `customer-health nightly`"
        )
    with duckdb.connect(home.published_file.resolve(), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def read_rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None
) -> list[Row]:
    result = connection.execute(sql, parameters or [])
    if result is None or result.description is None:  # no statement, or one without an answer
        return []
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def print_query(home: Home, sql: str, as_json: bool) -> None:
    with published(home) as connection:
        try:
            rows = read_rows(connection, sql)
        except duckdb.Error as error:
            raise ConfigurationError(str(error).splitlines()[0]) from None
    print_rows(rows, as_json)


def print_rows(rows: list[Row], as_json: bool = False, title: str | None = None) -> None:
    """A table on a terminal, JSON for machines."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        OUT.print(f"{title}: none" if title else "no rows")
        return
    texts = [{name: as_text(value) for name, value in row.items()} for row in rows]
    if _width_of(texts) > OUT.width:
        _print_one_by_one(texts, title)
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in rows[0]:
        value = next((row[name] for row in rows if row[name] is not None), None)
        is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for text in texts:
        table.add_row(*text.values())
    OUT.print(table)


def _width_of(texts: list[dict[str, str]]) -> int:
    """Columns a table of these rows takes, with two between its own."""
    return sum(
        max(cell_len(name), *(cell_len(text[name]) for text in texts)) + 2 for name in texts[0]
    )


def _print_one_by_one(texts: list[dict[str, str]], title: str | None) -> None:
    """Rows that are too wide for the terminal, a line a value."""
    if title:
        OUT.print(title, style="italic")
    widest = max(map(len, texts[0]))
    for number, text in enumerate(texts):
        if number:
            OUT.print()
        for name, value in text.items():
            OUT.print(f"{name:<{widest}}  {value}", markup=False)


def as_text(value: Any) -> str:
    """A value on one line of a terminal."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return " ".join(str(value).splitlines())
