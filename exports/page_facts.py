"""What the page says, read from the published file: plain rows, no layout.

Each fact is a query of its own in `queries/`, named as the field it fills.
"""

import datetime as dt
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from exports.private_file import literal

Row = dict[str, Any]
Details = dict[str, dict[str, Any]]
"""By customer: its profile by column name, and by name of a part its rows as lists of values."""

EVERY_CUSTOMER_UP_TO = 500
"""Up to this many customers each has its details on the page; above it only those that matter."""

DETAILED_CUSTOMERS = 5000

DETAILS = ("warnings", "parts", "changes", "usage", "states", "terms", "timeline")
"""The parts of a customer's details: queries in `queries/customer/`, customer_id first."""

SAID_CHANGES = (
    "customer_id",
    "health_score",
    "previous_health_score",
    "health_band",
    "previous_health_band",
)


@dataclass(frozen=True)
class PageFacts:
    """Everything on the page but the customers' details. None is "not measured".

    Rows are dicts by column name. Fields of type Row are queries with one row.
    """

    run: Row
    totals: Row
    coverage: Row
    contact: Row
    said: Row
    use_measured: Row
    report_card: list[Row]
    components: list[Row]
    bands: list[Row]
    alarms: list[Row]
    sources: list[Row]
    warnings: list[Row]
    changes: list[Row]
    usage_mix: list[Row]
    usage_states: list[Row]
    transition_matrix: list[Row]
    north_star: list[Row]
    north_star_link: list[Row]
    renewals_due: list[Row]
    renewal_cohorts: list[Row]
    bridge: list[Row]
    retention_now: list[Row]
    retention_history: list[Row]
    arr_history: list[Row]
    onboarding: list[Row]
    onboarding_stuck: list[Row]
    onboarding_steps: list[Row]
    contact_lost: list[Row]
    books: list[Row]
    audit_rules: list[Row]
    audit_findings: list[Row]
    customers: list[Row]

    @property
    def as_of_date(self) -> dt.date:
        """The day at whose end the night stands."""
        day: dt.date = self.run["as_of_date"]
        return day

    @property
    def verdict(self) -> str | None:
        """Whether the score beats the best baseline at finding losses 90 days ahead, in words."""
        in_force = [row for row in self.report_card if row["is_in_force"]]
        return next((row["verdict"] for row in in_force if row["card"] == "customer"), None)

    @property
    def queue(self) -> list[Row]:
        """Open risk warnings that nobody has snoozed, the first to call first."""
        risks = [row for row in self.warnings if row["kind"] == "risk"]
        return [row for row in risks if row["status"] != "snoozed"]

    @property
    def is_value_unnamed(self) -> bool:
        """Use is measured, but nothing in the configuration says what of it is core or value."""
        measured = self.use_measured
        return bool(measured["has_use"] and not measured["has_core"] and not self.north_star)

    @property
    def is_user_unnamed(self) -> bool:
        """Use is measured, but no event says which user it was."""
        return bool(self.use_measured["has_use"] and not self.use_measured["has_users"])

    @property
    def snoozed_count(self) -> int:
        """Open risk warnings that rest until a day that was set."""
        return sum(row["status"] == "snoozed" for row in self.warnings if row["kind"] == "risk")

    @property
    def yearly_retention(self) -> Row | None:
        """The newest twelve-month window with somebody in it."""
        yearly = [row for row in self.retention_now if row["window_months"] == 12]
        return next((row for row in yearly if row["opening_mrr"]), None)


def read_page_facts(
    database: Path, said_changes: Path | None = None, zone: str = "UTC"
) -> PageFacts:
    """Reads the page's facts from the published (or nearly published) DuckDB file.

    `said_changes` is the night's `crm_writeback` as Parquet: the values said the night before. A
    moment is of the day it was in `zone`.
    """
    facts: dict[str, Any] = {}
    with _open(database, zone, said_changes) as connection:
        for field in fields(PageFacts):
            rows = _read(connection, field.name)
            facts[field.name] = rows[0] if field.type is Row else rows
    return PageFacts(**facts)


def read_customer_details(database: Path, changed: list[str], zone: str = "UTC") -> Details:
    """The details of every customer of a small company, with the days of `zone`.

    In a larger one of those with an open warning, the `changed`, and those due in 180 days, the
    soonest first: DETAILED_CUSTOMERS at the most.
    """
    with _open(database, zone) as connection:
        connection.execute(
            f"create temp table detailed as {read_query('detailed')}",
            {
                "every_customer_up_to": EVERY_CUSTOMER_UP_TO,
                "changed": changed,
                "most": DETAILED_CUSTOMERS,
            },
        )
        details: Details = {}
        for profile in _read(connection, "customer/profile"):
            known = {name: value for name, value in profile.items() if value is not None}
            details[profile["customer_id"]] = known
        for part in DETAILS:
            query = connection.execute(read_query(f"customer/{part}"))
            for customer_id, *values in query.fetchall():
                details[customer_id].setdefault(part, []).append(values)
        return details


def total(rows: list[Row], column: str) -> Decimal:
    """The sum of a column over rows; what is not measured adds nothing."""
    return sum((Decimal(row[column]) for row in rows if row[column] is not None), Decimal(0))


@cache
def read_query(name: str) -> str:
    """The SQL of `queries/<name>.sql`."""
    return (files("exports") / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def _open(database: Path, zone: str, said_changes: Path | None = None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(f"set TimeZone = {literal(zone)}")
    connection.execute(f"attach {literal(database)} as published (read_only)")
    connection.execute("use published")
    columns = ", ".join(f"cast(null as varchar) as {name}" for name in SAID_CHANGES)
    source = (
        f"from read_parquet({literal(said_changes)})"
        if said_changes
        else f"select {columns} where false"
    )
    connection.execute(f"create temp view said_changes as {source}")
    connection.execute(
        "set variable as_of_date = (select as_of_date from runs"
        " where run_id = (select max(run_id) from customer_360))"
    )
    return connection


def _read(connection: duckdb.DuckDBPyConnection, name: str) -> list[Row]:
    result = connection.execute(read_query(name))
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, values, strict=True)) for values in result.fetchall()]
