"""Row rules of the front door as SQL: typed columns of every row, and a reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.casts import cast
from ingest.config import Company, SourceConfig
from ingest.content import LINE
from ingest.contracts import SQL_TYPES, Column, all_columns
from ingest.mapping import Plan
from ingest.sql import moment, name, text


@dataclass(frozen=True)
class Bounds:
    """What row rules depend on beside the row.

    `latest`: moments after it lie in the future; `currencies`: those the company knows.
    """

    company: Company
    latest: datetime
    currencies: frozenset[str]


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
    items = ", ".join([name(LINE), f"{attributes(plan)} as attributes", *mapped])
    rows = f"select {items} from source_rows"
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
        if column.is_currency:
            expression = f"upper({expression})"
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
    """SQL of the columns that are kept so, as a JSON object without empty members, or null."""
    if not plan.attributes:
        return "null::varchar"
    pairs = ", ".join(f"{text(column)}, {name(column)}" for column in plan.attributes)
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
    entity = plan.entity
    for column in columns:
        if plan.has(column.name):
            for condition, reason in _column_problems(column, bounds):
                yield column.name, condition, reason
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


def _column_problems(column: Column, bounds: Bounds) -> Iterable[tuple[str, str]]:
    """(condition, reason) of every way one value can break its contract."""
    company, own, raw = bounds.company, name(column.name), name("m:" + column.name)
    if column.type != "string":
        kind = {"integer": "whole number", "decimal": "number"}.get(column.type, column.type)
        shown = f"left(cast({raw} as varchar), 60)"
        yield f"({raw} is not null and {own} is null)", f"'not a {kind}: ' || {shown}"
    if column.is_required:
        yield f"{own} is null", "'is empty'"
    if column.allowed:
        allowed = ", ".join(text(value) for value in column.allowed)
        reason = text("is none of " + ", ".join(column.allowed) + ": ")
        yield f"{own} not in ({allowed})", f"{reason} || {own}"
    if column.is_currency:
        known = ", ".join(text(code) for code in sorted(bounds.currencies))
        yield f"{own} not in ({known})", f"'has no exchange rate: ' || {own}"
    if column.is_never_negative:
        yield f"{own} < 0", f"'is negative: ' || {own}"
    if column.is_positive:
        yield f"{own} <= 0", f"'is not above 0: ' || {own}"
    if column.type == "timestamp":
        yield f"{own} > {moment(bounds.latest)}", f"'lies in the future: ' || {own}"
        if company.started_on:
            first = moment(company.start_of(company.started_on))
            reason = text(f"lies before company.started_on ({company.started_on}): ")
            yield f"{own} < {first}", f"{reason} || {own}"
