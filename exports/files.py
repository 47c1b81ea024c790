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
EXCEL_MOMENT = "%Y-%m-%d %H:%M:%S"

# What a spreadsheet may run as a formula; the wide forms count in East Asian settings.
FORMULA_START = "^[=+\\-@\\t\\r\\n＝＋－＠]"

# What Excel would run or turn into a number, a date or a truth value: 00123, 1E5, 1-10, MAR1.
EXCEL_CHANGES = (
    "(?i)^([=+\\-@＝＋－＠.0-9]"
    "|(true|false)$"
    "|(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?"
    "|oct(ober)?|nov(ember)?|dec(ember)?)[ ./-]?[0-9])"
)
# Excel takes a formula's text up to this length; what is longer is never a number.
EXCEL_TEXT = "^[^\\t\\r\\n]{1,255}$"


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
    keys never. The `excel` preset writes what Excel would change, ids too, as ="text", and moments
    as it reads them.
    """
    covers_from = None
    where = ""
    if table.row_count > config.csv_max_rows and table.export.date_column:
        covers_from = as_of_date - dt.timedelta(days=LONG_TABLE_DAYS - 1)
        where = f" where {quoted(table.export.date_column)} >= date '{covers_from}'"
    source = f"read_parquet({literal(table.path)}){where}"
    path = folder / f"{table.export.name}.csv"
    is_excel = config.csv_preset == "excel"
    texts = _cells_made_safe(table, is_excel)
    counts = [f"count(*) filter (where {is_changed})" for is_changed, _ in texts.values()]
    counted = connection.execute(f"select {', '.join(['count(*)', *counts])} from {source}")
    rows, *changed = counted.fetchall()[0]
    columns = ", ".join(
        f"{texts[name][1] if name in texts else _as_text(name, data_type, is_excel)}"
        f" as {quoted(name)}"
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
        rows=int(rows),
        neutralised_count=sum(changed),
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


def _cells_made_safe(table: StagedTable, is_excel: bool) -> dict[str, tuple[str, str]]:
    """By text column: SQL that tells which of its cells are changed, and SQL of the safe cell."""
    safe = {}
    for name, data_type in table.columns.items():
        is_free = not is_identifier(name, table.export.key)
        if data_type != "VARCHAR" or not (is_free or is_excel):
            continue
        column, quote = quoted(name), literal('"')
        is_run = _matches(column, FORMULA_START) if is_free else "false"
        is_turned = (
            f"({_matches(column, EXCEL_CHANGES)} and {_matches(column, EXCEL_TEXT)})"
            if is_excel
            else "false"
        )
        as_formula = f"'=' || {quote} || replace({column}, {quote}, {quote} || {quote}) || {quote}"
        safe[name] = (
            f"{is_turned} or {is_run}",
            f"case when {is_turned} then {as_formula}"
            f" when {is_run} then '''' || {column} else {column} end",
        )
    return safe


def _matches(column: str, pattern: str) -> str:
    return f"regexp_matches({column}, {literal(pattern)})"


def _as_text(name: str, data_type: str, is_excel: bool) -> str:
    """SQL that renders a column as the text of its CSV cell."""
    column = quoted(name)
    if data_type == "TIMESTAMP WITH TIME ZONE":
        moment = f"make_timestamp(epoch_us({column}))"
        if is_excel:
            return f"strftime({moment}, '{EXCEL_MOMENT}')"
        # whole seconds unless the moment has a fraction
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
