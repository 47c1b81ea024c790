"""Binds the mapping of an entity to the columns that a file really has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import duckdb

from ingest.config import Constant, EntityMapping, SourceConfig, SqlExpression
from ingest.content import LINE, Content
from ingest.contracts import Column, Entity, all_columns
from ingest.refusals import Refused, one_line
from ingest.sql import expression_tree, name, text

COLUMNS_SHOWN = 12


@dataclass(frozen=True)
class Plan:
    """How a file's columns become an entity's: SQL expression and its type by our name."""

    entity: Entity
    expressions: dict[str, tuple[str, str]]
    attributes: tuple[str, ...]
    where: str | None

    def has(self, column: str) -> bool:
        return column in self.expressions


def open_source(
    connection: duckdb.DuckDBPyConnection,
    content: Content,
    source: SourceConfig,
    mapping: EntityMapping,
) -> None:
    """Makes the view `source_rows`: `__line` and the source's columns, blank texts as null.

    In JSONL a column that no row of the file has is null in all of them, elsewhere one of
    `may_lack`.
    """
    columns = [name(LINE)]
    nulls = ", ".join(text(value) for value in source.null_values)
    for column in content.columns:
        quoted = name(column)
        if content.is_text:
            empty = f"trim({quoted}) = ''" + (f" or {quoted} in ({nulls})" if nulls else "")
            quoted = f"case when {empty} then null else {quoted} end as {quoted}"
        columns.append(quoted)
    absent = _optional(source, mapping) - set(content.columns)
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
    named = _needed(mapping) | set(mapping.attributes or ())
    _refuse_repeated(named | _unmentioned(entity, mapping), present)
    optional = _optional(source, mapping)
    chosen: dict[str, str] = {}
    constants: dict[str, tuple[str, str]] = {}
    for column in all_columns(entity):
        origin = mapping.columns.get(column.name, column.name)
        is_explicit = column.name in mapping.columns
        if isinstance(origin, Constant):
            value = origin.value
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            constants[column.name] = (text(shown), "VARCHAR")
        elif isinstance(origin, SqlExpression):
            needed = references(origin.sql, f"column {column.name}")
            if column.is_required and needed and not needed & present and needed <= optional:
                raise Refused(f"no row has {' or '.join(sorted(needed))}")
            chosen[column.name] = f"({origin.sql}\n)"
        elif origin in present:
            chosen[column.name] = name(origin)
        elif column.is_required or (is_explicit and origin not in optional):
            raise Refused(_missing(column, origin, content.columns))
    kinds = _bind(connection, chosen)
    expressions = constants | {key: (sql, kinds[key]) for key, sql in chosen.items()}
    if mapping.where:
        _bind_one(connection, "where", f"({mapping.where}\n)")
    for group in entity.any_of:
        if not any(column in expressions for column in group):
            raise Refused(f"has no column for {' or '.join(group)}")
    for origin in mapping.attributes or ():
        if origin not in present | optional:
            raise Refused(_missing(None, origin, content.columns))
    return Plan(entity, expressions, _kept(entity, mapping, content.columns), mapping.where)


def _optional(source: SourceConfig, mapping: EntityMapping) -> set[str]:
    """The source columns that a file need not have; rows of JSONL leave out what is empty."""
    if source.format == "jsonl":
        return _needed(mapping) | set(mapping.attributes or ())
    return set(mapping.may_lack)


def unmapped_columns(
    entity: Entity, mapping: EntityMapping, columns: Sequence[str]
) -> tuple[str, ...]:
    """The columns of a file that nothing is read from, by name."""
    read = _unmentioned(entity, mapping) | _needed(mapping) | set(mapping.attributes or ())
    return tuple(sorted(set(columns) - read - {""}))


def _kept(entity: Entity, mapping: EntityMapping, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of a file that are kept as attributes, by name."""
    if mapping.attributes is not None:
        return tuple(sorted(set(mapping.attributes) & set(columns)))
    if entity.keeps_unknown_columns:
        return unmapped_columns(entity, mapping, columns)
    return ()


def _unmentioned(entity: Entity, mapping: EntityMapping) -> set[str]:
    """Our columns that are taken as they are, where a file has them."""
    return {column.name for column in all_columns(entity)} - set(mapping.columns)


def _refuse_repeated(names: set[str], present: set[str]) -> None:
    """A header with a name twice is fine as long as nothing is read from it by that name."""
    folded = {column.lower() for column in present}
    for column in sorted(names):
        if column.lower() not in folded and f"{column} (2)".lower() in folded:
            told = f"write '{column} (1)' or '{column} (2)'"
            raise Refused(f"its header has {column!r} twice; {told}")


def references(sql: str, place: str) -> set[str]:
    """Names of the columns an expression reads; raises Refused where it is no expression."""
    try:
        tree = expression_tree(sql)
    except ValueError as error:
        raise Refused(f"{place}: {error}") from error
    found: set[str] = set()
    _collect(tree, found)
    return found


def _needed(mapping: EntityMapping) -> set[str]:
    needed: set[str] = set()
    for column, origin in mapping.columns.items():
        if isinstance(origin, SqlExpression):
            needed |= references(origin.sql, f"column {column}")
        elif isinstance(origin, str):
            needed.add(origin)
    if mapping.where:
        needed |= references(mapping.where, "where")
    return needed


def _collect(node: object, found: set[str]) -> None:
    if isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            found.add(str(node["column_names"][0]))
        for inner in node.values():
            _collect(inner, found)
    elif isinstance(node, list):
        for inner in node:
            _collect(inner, found)


def _bind(connection: duckdb.DuckDBPyConnection, expressions: dict[str, str]) -> dict[str, str]:
    """The DuckDB type of each expression by its key; Refused names the one that does not fit."""
    if not expressions:
        return {}
    items = ", ".join(f"{sql} as {name('m:' + key)}" for key, sql in expressions.items())
    try:
        described = connection.execute(f"describe select {items} from source_rows").fetchall()
        return {key: str(row[1]) for key, row in zip(expressions, described, strict=True)}
    except duckdb.Error:
        return {
            key: _bind_one(connection, f"column {key}", sql) for key, sql in expressions.items()
        }


def _bind_one(connection: duckdb.DuckDBPyConnection, place: str, expression: str) -> str:
    try:
        described = connection.execute(f"describe select {expression} as x from source_rows")
        return str(described.fetchall()[0][1])
    except duckdb.Error as error:
        said = one_line(str(error).partition("You might need")[0].partition("Candidate")[0])
        hint = "; columns of text files are text: write x::decimal" if "VARCHAR" in said else ""
        raise Refused(f"{place}: {said}{hint}") from error


def _missing(column: Column | None, origin: str, columns: Sequence[str]) -> str:
    close = [other for other in columns if other.lower() == origin.lower()]
    close = close or get_close_matches(origin, columns, n=1)
    some = ", ".join(columns[:COLUMNS_SHOWN]) + (", …" if len(columns) > COLUMNS_SHOWN else "")
    hint = f"; it has {close[0]!r}" if close else f"; it has {some}"
    if not close and (column is None or not column.is_required):
        hint += "; where only some files have it, name it in `may_lack:`"
    if column and origin in column.allowed:
        hint = f"; if it is the same in every row, write {{value: {origin}}}"
    ours = column.name if column else "attributes"
    shown = f"{origin!r} (our {ours})" if origin != ours else repr(origin)
    return f"has no column {shown}{hint}"
