"""SQL that turns what a source has into contract types, null where it cannot be."""

from __future__ import annotations

from ingest.config import EPOCHS, SourceConfig
from ingest.contracts import SQL_TYPES, Column
from ingest.sql import text

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"


DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"


CLOCK = r"([Tt]|\s+)\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"


OFFSET = r":\d{2}(\.\d+)?\s*(Z|z|UTC|[+-]\d{2}(:?\d{2})?)$"


# Groups of three digits, in Switzerland and France too; the other mark is the decimal separator.
GROUPED = r"[+-]?\d{{1,3}}([{marks}]\d{{3}})+({point}\d*)?"


TRUE, FALSE = "('true', 't', '1', 'yes', 'y')", "('false', 'f', '0', 'no', 'n')"


def cast(
    expression: str, kind: str, column: Column, source: SourceConfig, company_zone: str
) -> str:
    """SQL that turns an expression of a DuckDB type into a contract type, null where it cannot."""
    family = _family(kind)
    if column.type == "string":
        return _to_text(expression, family)
    if family in ("text", "other"):
        trimmed = f"trim(cast({expression} as varchar))"
        return _from_text(trimmed, column, source, company_zone)
    if column.type in ("integer", "decimal"):
        return _to_number(expression, family, column)
    if column.type == "boolean":
        return _to_boolean(expression, family)
    return _to_time(expression, family, column, source, company_zone)


def _to_number(expression: str, family: str, column: Column) -> str:
    if family in ("date", "timestamp", "timestamptz"):
        return f"null::{SQL_TYPES[column.type]}"
    number = f"try_cast({expression} as {SQL_TYPES[column.type]})"
    if column.type == "decimal" or family in ("whole", "boolean"):
        return number
    return f"case when {expression} = trunc({expression}) then {number} end"


def _to_boolean(expression: str, family: str) -> str:
    if family == "boolean":
        return expression
    if family in ("date", "timestamp", "timestamptz"):
        return "null::boolean"
    return f"case when {expression} = 1 then true when {expression} = 0 then false end"


def _to_text(expression: str, family: str) -> str:
    if family == "text":
        value = f"cast({expression} as varchar)"
        return f"case when trim({value}) = '' then null else {value} end"
    if family == "float":
        # Ids become floats in data frames that have nulls: 12.0 is 12.
        whole = f"{expression} = trunc({expression}) and abs({expression}) < 1e15"
        return (
            f"case when {whole} then cast(cast({expression} as bigint) as varchar) "
            f"else cast({expression} as varchar) end"
        )
    if family == "other":
        return f"cast(to_json({expression}) as varchar)"
    return f"cast({expression} as varchar)"


def _from_text(trimmed: str, column: Column, source: SourceConfig, company_zone: str) -> str:
    if column.type == "boolean":
        lower = f"lower({trimmed})"
        return f"case when {lower} in {TRUE} then true when {lower} in {FALSE} then false end"
    if column.type in ("integer", "decimal"):
        number, is_number = _number(trimmed, source.decimal_separator)
        wide = f"try_cast({number} as decimal(38, 6))"
        if column.type == "integer":
            is_number += f" and {wide} = trunc({wide})"
        return f"case when {is_number} then try_cast({wide} as {SQL_TYPES[column.type]}) end"
    if column.type == "date":
        if source.date_format in EPOCHS or "%z" in (source.date_format or "").lower():
            moment = _formatted(trimmed, str(source.date_format), source)
            return f"cast(timezone({text(company_zone)}, {moment}) as date)"
        if source.date_format:
            return f"cast(try_strptime({trimmed}, {text(source.date_format)}) as date)"
        time = f"cast(timezone({text(company_zone)}, {_moment(trimmed, source)}) as date)"
        return (
            f"case when regexp_full_match({trimmed}, {text(DAY)}) then try_cast({trimmed} as date) "
            f"when regexp_matches({trimmed}, {text(OFFSET)}) then {time} "
            f"when regexp_full_match({trimmed}, {text(DAY + CLOCK)}) "
            f"then cast(try_cast({trimmed} as timestamp) as date) end"
        )
    return _moment(trimmed, source)


def _moment(trimmed: str, source: SourceConfig) -> str:
    """A day without a time is its start, as the source writes days."""
    moment = _moment_with_time(trimmed, source)
    if source.date_format and source.date_format not in EPOCHS:
        return f"coalesce({moment}, {_formatted(trimmed, source.date_format, source)})"
    return moment


def _moment_with_time(trimmed: str, source: SourceConfig) -> str:
    zone = text(source.zone)
    if source.timestamp_format:
        return _formatted(trimmed, source.timestamp_format, source)
    joined = rf"regexp_replace({trimmed}, '\s+([+-])', '\1')"
    return (
        f"case when regexp_full_match({trimmed}, {text(f'{DAY}({CLOCK})?')}) "
        f"then timezone({zone}, try_cast({trimmed} as timestamp)) "
        f"when regexp_matches({trimmed}, {text(f'^{DAY}.*{OFFSET}')}) "
        f"then try_cast({joined} as timestamptz) end"
    )


def _formatted(trimmed: str, pattern: str, source: SourceConfig) -> str:
    if pattern in EPOCHS:
        units = f"round(try_cast({trimmed} as double) * {1_000_000 // EPOCHS[pattern]})"
        # The years 1 to 9999: beyond them a number is no moment of business.
        bounds = "between -62135596800000000 and 253402300799999999"
        return f"case when {units} {bounds} then make_timestamptz(({units})::bigint) end"
    parsed = f"try_strptime({trimmed}, {text(pattern)})"
    if "%z" in pattern.lower():
        return f"cast({parsed} as timestamptz)"
    return f"timezone({text(source.zone)}, {parsed})"


def _number(trimmed: str, separator: str | None) -> tuple[str, str]:
    """(SQL of the number with a point and no groups, SQL of whether it is one)."""
    if separator is None:
        return trimmed, f"regexp_full_match({trimmed}, {text(NUMBER)})"
    marks, point = (".", ",") if separator == "," else (",", r"\.")
    grouped = GROUPED.format(marks=marks + " \u00a0\u202f'’", point=point)
    plain = NUMBER.replace(r"\.", point)
    only = f"regexp_replace({trimmed}, {text('[^0-9eE+' + separator + '-]')}, '', 'g')"
    return (
        f"replace({only}, {text(separator)}, '.')",
        f"(regexp_full_match({trimmed}, {text(plain)}) "
        f"or regexp_full_match({trimmed}, {text(grouped)}))",
    )


def _to_time(
    expression: str, family: str, column: Column, source: SourceConfig, company_zone: str
) -> str:
    if family not in ("date", "timestamp", "timestamptz"):
        return f"null::{SQL_TYPES[column.type]}"
    is_finite = f"isfinite({expression})"
    if column.type == "date":
        day = expression
        if family == "timestamptz":
            day = f"timezone({text(company_zone)}, {expression})"
        return f"case when {is_finite} then cast({day} as date) end"
    if family == "timestamptz":
        return f"case when {is_finite} then {expression} end"
    local = f"try_cast({expression} as timestamp)"
    if source.zone == "UTC":
        return f"case when {is_finite} then cast({local} as timestamptz) end"
    return f"case when {is_finite} then timezone({text(source.zone)}, {local}) end"


WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
FAMILIES = {
    **dict.fromkeys((*WHOLE, *("U" + kind for kind in WHOLE)), "whole"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "float"),
    **dict.fromkeys(("VARCHAR", "UUID", "JSON"), "text"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "timestamp"),
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


def _family(kind: str) -> str:
    """What a DuckDB type is to us; lists, structs and the like are `other`."""
    if kind.endswith("]"):
        return "other"
    if kind.startswith("DECIMAL"):
        return "decimal"
    return "text" if kind.startswith("ENUM") else FAMILIES.get(kind, "other")
