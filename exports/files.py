"""CSV files for BI: plain, stable, safe to open in a spreadsheet."""

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from exports.config import ExportsConfig
from exports.private_file import literal, quoted
from exports.staging import StagedTable

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONG_TABLE_DAYS = 90

# What a spreadsheet may run as a formula; the wide forms count in East Asian settings.
FORMULA_START = "^[=+\\-@\\t\\r\\n＝＋－＠]"


@dataclass(frozen=True)
class WrittenFile:
    """One file of the export folder, as the manifest names it.

    `covers_from` is the first date of a CSV that holds only the last days of a long table.
    """

    name: str
    table: str | None
    rows: int | None
    bytes: int
    sha256: str
    neutralised_count: int = 0
    covers_from: dt.date | None = None


def write_csv(
    connection: duckdb.DuckDBPyConnection,
    table: StagedTable,
    folder: Path,
    as_of_date: dt.date,
    config: ExportsConfig,
) -> WrittenFile:
    """Writes `<folder>/<table>.csv`.

    UTF-8, LF, RFC 4180 quoting, ISO dates, UTC moments with Z, numbers without exponent, empty
    for null, true/false. Free text that a spreadsheet would run gets a leading apostrophe; ids and
    keys never.
    """
    covers_from = None
    where = ""
    if table.row_count > config.csv_max_rows and table.export.date_column:
        covers_from = as_of_date - dt.timedelta(days=LONG_TABLE_DAYS - 1)
        where = f" where {quoted(table.export.date_column)} >= date '{covers_from}'"
    source = f"read_parquet({literal(table.path)}){where}"
    path = folder / f"{table.export.name}.csv"
    texts = _free_texts(table)
    counts = ["count(*)"] + [
        f"count(*) filter (where regexp_matches({quoted(name)}, {literal(FORMULA_START)}))"
        for name in texts
    ]
    counted = connection.execute(f"select {', '.join(counts)} from {source}").fetchone()
    assert counted is not None
    columns = ", ".join(
        f"{_as_text(name, data_type, is_free=name in texts)} as {quoted(name)}"
        for name, data_type in table.columns.items()
    )
    connection.execute(
        f"copy (select {columns} from {source}) to {literal(path)}"
        " (format csv, header true, delimiter ',', quote '\"', escape '\"', nullstr '')"
    )
    if config.has_byte_order_mark:
        _prepend_byte_order_mark(path)
    return describe_file(
        path,
        table=table.export.name,
        rows=int(counted[0]),
        neutralised_count=sum(counted[1:]),
        covers_from=covers_from,
    )


def describe_file(
    path: Path,
    *,
    table: str | None = None,
    rows: int | None = None,
    neutralised_count: int = 0,
    covers_from: dt.date | None = None,
    name: str | None = None,
    root: Path | None = None,
) -> WrittenFile:
    """A file's name (relative to `root`, where given), size and sha256 for the manifest."""
    name = name or (path.relative_to(root).as_posix() if root else path.name)
    return WrittenFile(
        name, table, rows, path.stat().st_size, digest(path), neutralised_count, covers_from
    )


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def neutralised(text: str) -> str:
    """A free text as a spreadsheet may see it: the rule of `write_csv` for one value."""
    return "'" + text if text[:1] in tuple("=+-@\t\r\n＝＋－＠") and text else text


def is_identifier(name: str, keys: Iterable[str]) -> bool:
    """True for columns whose values systems match by: they are never changed."""
    return name.endswith("_id") or name in keys


def _free_texts(table: StagedTable) -> list[str]:
    return [
        name
        for name, data_type in table.columns.items()
        if data_type == "VARCHAR" and not is_identifier(name, table.export.key)
    ]


def _as_text(name: str, data_type: str, is_free: bool) -> str:
    """SQL that renders a column as the text of its CSV cell."""
    column = quoted(name)
    if is_free:
        return (
            f"case when regexp_matches({column}, {literal(FORMULA_START)})"
            f" then '''' || {column} else {column} end"
        )
    if data_type == "TIMESTAMP WITH TIME ZONE":
        # whole seconds unless the moment has a fraction
        moment = f"make_timestamp(epoch_us({column}))"
        return (
            f"case when epoch_us({column}) % 1000000 = 0"
            f" then strftime({moment}, '%Y-%m-%dT%H:%M:%SZ')"
            f" else strftime({moment}, '%Y-%m-%dT%H:%M:%S.%fZ') end"
        )
    if data_type in ("DOUBLE", "FLOAT"):
        text = f"cast({column} as varchar)"
        plain = f"rtrim(rtrim(cast(try_cast({column} as decimal(38, 20)) as varchar), '0'), '.')"
        whole = f"format('{{:.0f}}', cast({column} as double))"
        return f"case when {text} like '%e%' then coalesce({plain}, {whole}) else {text} end"
    if data_type.endswith("]") or data_type.startswith(("STRUCT", "MAP")):
        return f"cast(to_json({column}) as varchar)"
    return f"cast({column} as varchar)"


def _prepend_byte_order_mark(path: Path) -> None:
    marked = path.with_suffix(".csv.marked")
    with path.open("rb") as plain, marked.open("wb") as target:
        target.write(BYTE_ORDER_MARK)
        shutil.copyfileobj(plain, target)
    marked.replace(path)
