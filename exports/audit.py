"""The audit of the private file before anything is published. dbt tests guard what is inside."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from exports.private_file import Night, Relation, literal, quoted
from exports.tables import Export

SMALL_TABLE_ROWS = 20
"""Below this many rows before, a fall is no finding: half of three alarms says nothing."""


@dataclass(frozen=True)
class Finding:
    """One broken expectation; an error refuses the night, a warning is said."""

    table: str
    severity: Literal["error", "warning"]
    message: str

    def __str__(self) -> str:
        return f"{self.table}: {self.message}"


class AuditRefused(Exception):
    """The night is not published. One line a finding; `findings` holds them."""

    def __init__(self, findings: Iterable[Finding]):
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


@dataclass(frozen=True)
class Published:
    """What the last published file held: row counts by table, on its as_of_date."""

    run_id: str
    as_of_date: dt.date
    row_counts: dict[str, int]


def audit_tables(
    connection: duckdb.DuckDBPyConnection,
    exports: Iterable[Export],
    relations: dict[str, Relation],
    night: Night,
    *,
    published: Published | None,
    max_row_loss_share: float,
) -> list[Finding]:
    """Every finding over the private file, in the order of `exports`."""
    findings: list[Finding] = []
    for export in exports:
        relation = relations.get(export.name)
        if relation is None:
            findings.append(Finding(export.name, "error", "the table was not built"))
            continue
        found = list(_check_columns(export, relation))
        findings += found
        if any(finding.severity == "error" for finding in found):
            continue
        findings += _check_rows(connection, export, relation)
        if published and _is_comparable(published, night):
            findings += _check_row_loss(connection, export, relation, published, max_row_loss_share)
    findings += _check_run(connection, relations, night)
    return findings


def refuse_on_errors(findings: Iterable[Finding]) -> None:
    """Raises AuditRefused when a finding is an error."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise AuditRefused(errors)


def read_published(published_file: Path) -> Published | None:
    """Row counts of the published file; None when there is none, or it cannot be read."""
    if not published_file.is_file():
        return None
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute(f"attach {literal(published_file)} as published (read_only)")
            tables = [
                name
                for (name,) in connection.execute(
                    "select table_name from duckdb_tables() where database_name = 'published'"
                    " order by table_name"
                ).fetchall()
            ]
            counts = {
                name: _one(connection, f"select count(*) from published.main.{quoted(name)}")
                for name in tables
            }
            last = connection.execute(
                "select run_id, as_of_date from published.main.customer_360 limit 1"
            ).fetchone()
    except duckdb.Error:
        return None
    return Published(last[0], last[1], counts) if last else None


def _check_columns(export: Export, relation: Relation) -> Iterator[Finding]:
    missing_keys = [name for name in export.key if name not in relation.columns]
    if missing_keys:
        yield Finding(export.name, "error", f"key column missing: {', '.join(missing_keys)}")
    missing = [name for name in export.columns if name not in relation.columns]
    if missing:
        yield Finding(export.name, "error", f"promised column missing: {', '.join(missing)}")


def _check_rows(
    connection: duckdb.DuckDBPyConnection, export: Export, relation: Relation
) -> Iterator[Finding]:
    rows = _one(connection, f"select count(*) from {relation.path}")
    if rows == 0 and not export.may_be_empty:
        yield Finding(export.name, "error", "is empty and may not be")
    yield from _check_key(connection, export, relation)
    for name, data_type in relation.columns.items():
        if data_type in ("DOUBLE", "FLOAT"):
            wrong = _one(
                connection,
                f"select count(*) from {relation.path} where not isfinite({quoted(name)})",
            )
            if wrong:
                yield Finding(export.name, "error", f"{name} is not a number in {wrong} rows")


def _is_comparable(published: Published, night: Night) -> bool:
    """An earlier date than the published one has fewer rows by nature."""
    return published.run_id != night.run_id and published.as_of_date <= night.as_of_date


def _check_row_loss(
    connection: duckdb.DuckDBPyConnection,
    export: Export,
    relation: Relation,
    published: Published,
    max_row_loss_share: float,
) -> Iterator[Finding]:
    rows = _one(connection, f"select count(*) from {relation.path}")
    before = published.row_counts.get(export.name, 0)
    if before >= SMALL_TABLE_ROWS and rows < before * (1 - max_row_loss_share):
        yield Finding(
            export.name,
            "warning" if export.may_shrink else "error",
            f"{rows} rows, {before} on {published.as_of_date}: more than"
            f" {max_row_loss_share:.0%} are gone (exports.max_row_loss_share)",
        )


def _check_key(
    connection: duckdb.DuckDBPyConnection, export: Export, relation: Relation
) -> Iterator[Finding]:
    if not export.key:
        return
    columns = ", ".join(quoted(name) for name in export.key)
    for name in export.key:
        if name in export.nullable_key:
            continue
        missing = _one(
            connection, f"select count(*) from {relation.path} where {quoted(name)} is null"
        )
        if missing:
            yield Finding(export.name, "error", f"key column {name} is null in {missing} rows")
    repeated = connection.execute(
        f"select {columns}, count(*) as n from {relation.path} group by {columns}"
        f" having count(*) > 1 order by {columns} limit 1"
    ).fetchone()
    if repeated:
        key = ", ".join(
            f"{name} {value}" for name, value in zip(export.key, repeated[:-1], strict=True)
        )
        yield Finding(export.name, "error", f"key is not unique: {key} stands {repeated[-1]} times")


def _check_run(
    connection: duckdb.DuckDBPyConnection, relations: dict[str, Relation], night: Night
) -> Iterator[Finding]:
    runs = relations.get("runs")
    if runs is None or "run_id" not in runs.columns:
        return
    found = connection.execute(
        f"select count(*) from {runs.path} where run_id = $1", [night.run_id]
    ).fetchone()
    if not found or not found[0]:
        yield Finding("runs", "error", f"tonight's run {night.run_id} is missing")


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
