"""Row rules of the front door as SQL: from source columns to typed columns, or a reason why not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

import duckdb

from ingest.config import Company, Constant, EntityMapping, SourceConfig, SqlExpression
from ingest.contracts import KNOWLEDGE_COLUMNS, SQL_TYPES, Column, Entity
from ingest.files import Refused, one_line
from ingest.readers import LINE, Content

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
OFFSET = r":\d{2}(\.\d+)?\s*(Z|z|UTC|[+-]\d{2}(:?\d{2})?)$"
TRUE, FALSE = "('true', '1', 'yes')", "('false', '0', 'no')"


@dataclass(frozen=True)
class Bounds:
    """What row rules depend on beside the row.

    `latest`: moments after it lie in the future; `currencies`: those the company knows.
    """

    company: Company
    latest: datetime
    currencies: frozenset[str]


@dataclass(frozen=True)
class Plan:
    """How a file's columns become an entity's: SQL expression and its type by our name."""

    entity: Entity
    expressions: dict[str, tuple[str, str]]
    used: tuple[str, ...]
    unmapped: tuple[str, ...]
    where: str | None

    def has(self, column: str) -> bool:
        return column in self.expressions


def name(identifier: str) -> str:
    """A quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """A quoted SQL string."""
    return "'" + value.replace("'", "''") + "'"


def moment(value: datetime) -> str:
    """A timestamp with zone as SQL."""
    return f"timestamptz {text(value.isoformat(sep=' '))}"


def all_columns(entity: Entity) -> tuple[Column, ...]:
    """The contract's columns, then the knowledge columns it does not have itself."""
    own = set(entity.column_names)
    return (*entity.columns, *(column for column in KNOWLEDGE_COLUMNS if column.name not in own))


def open_source(
    connection: duckdb.DuckDBPyConnection,
    content: Content,
    source: SourceConfig,
    mapping: EntityMapping,
) -> None:
    """Makes the view `source_rows`: `__line` and the source's columns, blank texts as null.

    In JSONL a column that no row of the file has is null in all of them.
    """
    columns = [name(LINE)]
    nulls = ", ".join(text(value) for value in source.null_values)
    for column in content.columns:
        quoted = name(column)
        if content.is_text:
            empty = f"trim({quoted}) = ''" + (f" or {quoted} in ({nulls})" if nulls else "")
            quoted = f"case when {empty} then null else {quoted} end as {quoted}"
        columns.append(quoted)
    if source.format == "jsonl":
        absent = _needed(connection, mapping) - set(content.columns)
        columns += [f"null::varchar as {name(column)}" for column in sorted(absent)]
    connection.execute(
        f"create or replace temp view source_rows as select {', '.join(columns)} "
        f"from ({content.relation})"
    )


def plan(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    source: SourceConfig,
    mapping: EntityMapping,
    content: Content,
) -> Plan:
    """Binds a mapping to the columns a file really has; raises Refused where it does not fit."""
    present = set(content.columns)
    is_sparse = source.format == "jsonl"
    expressions: dict[str, tuple[str, str]] = {}
    used: set[str] = set()
    for column in all_columns(entity):
        origin = mapping.columns.get(column.name, column.name)
        is_explicit = column.name in mapping.columns
        if isinstance(origin, Constant):
            value = origin.value
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            expressions[column.name] = (text(shown), "VARCHAR")
            continue
        if isinstance(origin, SqlExpression):
            expression = f"({origin.sql}\n)"
            needed = references(connection, origin.sql, f"column {column.name}")
            if is_sparse and column.is_required and needed and not needed & present:
                raise Refused(f"no row has {' or '.join(sorted(needed))}")
            used |= needed & present
            kind = _bind(connection, expression, f"column {column.name}")
            expressions[column.name] = (expression, kind)
            continue
        if origin in present:
            used.add(origin)
            kind = _bind(connection, name(origin), f"column {column.name}")
            expressions[column.name] = (name(origin), kind)
        elif column.is_required or (is_explicit and not is_sparse):
            raise Refused(_missing(column.name, origin, content.columns))
    if mapping.where:
        needed = references(connection, mapping.where, "where")
        used |= needed & present
        _bind(connection, f"({mapping.where}\n)", "where")
    for group in entity.any_of:
        if not any(column in expressions for column in group):
            raise Refused(f"has no column for {' or '.join(group)}")
    unmapped = tuple(sorted(column for column in content.columns if column not in used and column))
    return Plan(entity, expressions, tuple(sorted(used)), unmapped, mapping.where)


def references(connection: duckdb.DuckDBPyConnection, sql: str, place: str) -> set[str]:
    """Names of the columns an expression reads; raises Refused where it is no expression."""
    answer = connection.execute("select json_serialize_sql(?)", [f"select (\n{sql}\n)"]).fetchall()[
        0
    ][0]
    tree = json.loads(answer)
    if tree.get("error"):
        raise Refused(f"{place}: not an SQL expression: {one_line(tree.get('error_message', ''))}")
    if len(tree["statements"]) != 1:
        raise Refused(f"{place}: must be one SQL expression")
    found: set[str] = set()
    _collect(tree["statements"], found)
    return found


def _collect(node: object, found: set[str]) -> None:
    if isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            found.add(str(node["column_names"][0]))
        for inner in node.values():
            _collect(inner, found)
    elif isinstance(node, list):
        for inner in node:
            _collect(inner, found)


def _needed(connection: duckdb.DuckDBPyConnection, mapping: EntityMapping) -> set[str]:
    needed: set[str] = set()
    for column, origin in mapping.columns.items():
        if isinstance(origin, SqlExpression):
            needed |= references(connection, origin.sql, f"column {column}")
        elif isinstance(origin, str):
            needed.add(origin)
    if mapping.where:
        needed |= references(connection, mapping.where, "where")
    return needed


def _bind(connection: duckdb.DuckDBPyConnection, expression: str, place: str) -> str:
    try:
        described = connection.execute(f"describe select {expression} as x from source_rows")
        return str(described.fetchall()[0][1])
    except duckdb.Error as error:
        raise Refused(f"{place}: {one_line(error)}") from error


def _missing(column: str, origin: str, columns: Sequence[str]) -> str:
    close = [other for other in columns if other.lower() == origin.lower()]
    close = close or get_close_matches(origin, columns, n=1)
    hint = f"; it has {close[0]!r}" if close else ""
    shown = f"{origin!r} (our {column})" if origin != column else repr(column)
    return f"has no column {shown}{hint}"


def typed_rows(plan: Plan, source: SourceConfig, bounds: Bounds) -> str:
    """SQL of the typed rows of a file.

    Columns: `__line`, every column of the contract and the knowledge columns, typed, `attributes`,
    `problem_column` and `problem` (null in a good row).
    """
    entity, company = plan.entity, bounds.company
    columns = all_columns(entity)
    mapped = [
        f"{expression} as {name('m:' + key)}" for key, (expression, _) in plan.expressions.items()
    ]
    rows = f"select {', '.join([name(LINE), attributes(plan) + ' as attributes', *mapped])} from source_rows"
    if plan.where:
        rows += f" where ({plan.where}\n)"
    typed = [name(LINE), "attributes"]
    ends = {end for _, end in entity.ordered}
    for column in columns:
        if not plan.has(column.name):
            typed.append(f"null::{SQL_TYPES[column.type]} as {name(column.name)}")
            continue
        raw = name("m:" + column.name)
        expression = cast(raw, plan.expressions[column.name][1], column, source, company.zone)
        if source.term_end_is_inclusive and column.type == "date" and column.name in ends:
            expression = f"cast({expression} + 1 as date)"
        typed += [f"{expression} as {name(column.name)}", raw]
    problems = list(_problems(plan, columns, bounds))
    chosen = ", ".join([name(LINE), "attributes", *(name(column.name) for column in columns)])
    if problems:
        cases = " ".join(f"when {condition} then {text(key)}" for key, condition, _ in problems)
        reasons = " ".join(f"when {condition} then {reason}" for _, condition, reason in problems)
        found = f"case {cases} end as problem_column, case {reasons} end as problem"
    else:
        found = "null::varchar as problem_column, null::varchar as problem"
    return f"select {chosen}, {found} from (select {', '.join(typed)} from ({rows}))"


def attributes(plan: Plan) -> str:
    """SQL of the unmapped columns as a JSON object without empty members, or null."""
    if not plan.entity.keeps_unknown_columns or not plan.unmapped:
        return "null::varchar"
    pairs = ", ".join(f"{text(column)}, {name(column)}" for column in plan.unmapped)
    merged = f"cast(json_merge_patch('{{}}', json_object({pairs})) as varchar)"
    return f"nullif({merged}, '{{}}')"


def raw_row(columns: Sequence[str]) -> str:
    """SQL of a source row as a JSON object."""
    if not columns:
        return "'{}'"
    pairs = ", ".join(f"{text(column)}, {name(column)}" for column in columns)
    return f"cast(json_object({pairs}) as varchar)"


def _problems(
    plan: Plan, columns: Sequence[Column], bounds: Bounds
) -> Iterable[tuple[str, str, str]]:
    """(column, condition, reason) of every way a row can break its contract, worst first."""
    company, entity = bounds.company, plan.entity
    for column in columns:
        if not plan.has(column.name):
            continue
        own, raw = name(column.name), name("m:" + column.name)
        shown = f"left(cast({raw} as varchar), 60)"
        if column.type != "string":
            kind = {"integer": "whole number", "decimal": "number"}.get(column.type, column.type)
            yield (
                column.name,
                f"({raw} is not null and {own} is null)",
                f"'not a {kind}: ' || {shown}",
            )
        if column.is_required:
            yield column.name, f"{own} is null", "'is empty'"
        if column.allowed:
            allowed = ", ".join(text(value) for value in column.allowed)
            reason = text("is none of " + ", ".join(column.allowed) + ": ")
            yield column.name, f"{own} not in ({allowed})", f"{reason} || {own}"
        if column.is_currency:
            known = ", ".join(text(code) for code in sorted(bounds.currencies)) or "''"
            yield column.name, f"{own} not in ({known})", f"'has no exchange rate: ' || {own}"
        if column.is_never_negative:
            yield column.name, f"{own} < 0", f"'is negative: ' || {own}"
        if column.is_positive:
            yield column.name, f"{own} <= 0", f"'is not above 0: ' || {own}"
        if column.type == "timestamp":
            yield (
                column.name,
                f"{own} > {moment(bounds.latest)}",
                f"'lies in the future: ' || {own}",
            )
            if company.started_on:
                first = moment(company.start_of(company.started_on))
                reason = text(f"lies before company.started_on ({company.started_on}): ")
                yield column.name, f"{own} < {first}", f"{reason} || {own}"
    for group in entity.any_of:
        present = [column for column in group if plan.has(column)]
        condition = " and ".join(f"{name(column)} is null" for column in present)
        yield present[0], f"({condition})", text(f"needs {' or '.join(group)}")
    for start, end in entity.ordered:
        if plan.has(start) and plan.has(end):
            first, last = name(start), name(end)
            yield (
                end,
                f"{last} < {first}",
                f"'{end} ' || {last} || ' lies before {start} ' || {first}",
            )


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
        if family in ("date", "timestamp", "timestamptz"):
            return f"null::{SQL_TYPES[column.type]}"
        if column.type == "decimal" or family in ("whole", "boolean"):
            return f"try_cast({expression} as {SQL_TYPES[column.type]})"
        return f"case when {expression} = trunc({expression}) then try_cast({expression} as bigint) end"
    if column.type == "boolean":
        if family == "boolean":
            return expression
        return f"case when {expression} = 1 then true when {expression} = 0 then false end"
    return _to_time(expression, family, column, source, company_zone)


def _to_text(expression: str, family: str) -> str:
    if family == "text":
        return f"case when trim({expression}) = '' then null else cast({expression} as varchar) end"
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
        wide = f"try_cast({trimmed} as decimal(38, 6))"
        is_number = f"regexp_full_match({trimmed}, {text(NUMBER)})"
        if column.type == "integer":
            is_number += f" and {wide} = trunc({wide})"
        return f"case when {is_number} then try_cast({wide} as {SQL_TYPES[column.type]}) end"
    if column.type == "date":
        if source.date_format:
            return f"cast(try_strptime({trimmed}, {text(source.date_format)}) as date)"
        time = f"cast(timezone({text(company_zone)}, {_moment(trimmed, source)}) as date)"
        return (
            f"case when regexp_full_match({trimmed}, {text(DAY)}) then try_cast({trimmed} as date) "
            f"when regexp_matches({trimmed}, {text(OFFSET)}) then {time} "
            f"when regexp_matches({trimmed}, {text('^' + DAY)}) "
            f"then cast(try_cast({trimmed} as timestamp) as date) end"
        )
    return _moment(trimmed, source)


def _moment(trimmed: str, source: SourceConfig) -> str:
    zone = text(source.zone)
    if source.timestamp_format:
        parsed = f"try_strptime({trimmed}, {text(source.timestamp_format)})"
        if "%z" in source.timestamp_format.lower():
            return f"cast({parsed} as timestamptz)"
        return f"timezone({zone}, {parsed})"
    joined = rf"regexp_replace({trimmed}, '\s+([+-])', '\1')"
    return (
        f"case when not regexp_matches({trimmed}, {text('^' + DAY)}) then null "
        f"when regexp_matches({trimmed}, {text(OFFSET)}) then try_cast({joined} as timestamptz) "
        f"else timezone({zone}, try_cast({trimmed} as timestamp)) end"
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


def _family(kind: str) -> str:
    if kind.startswith(("VARCHAR", "ENUM", "UUID", "JSON", "CHAR")):
        return "text" if not kind.endswith("]") else "other"
    if kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT") or (
        kind.startswith("U") and kind.endswith("INT")
    ):
        return "whole"
    if kind in ("FLOAT", "DOUBLE"):
        return "float"
    if kind.startswith("DECIMAL") and not kind.endswith("]"):
        return "decimal"
    if kind == "BOOLEAN":
        return "boolean"
    if kind == "DATE":
        return "date"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return "timestamptz"
    if kind.startswith("TIMESTAMP") and not kind.endswith("]"):
        return "timestamp"
    return "other"
