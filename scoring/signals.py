"""The contract tables that scoring reads, checked for columns and types; a Parquet file each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

Type = Literal["string", "date", "integer", "number", "money", "boolean"]

MONEY = pl.Decimal(38, 10)
TYPES: Mapping[Type, pl.DataType] = {
    "string": pl.String(),
    "date": pl.Date(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "money": MONEY,
    "boolean": pl.Boolean(),
}

# customer_id, as_of_date, known_on are the grain; null means not measured or not applicable.
CUSTOMER_SIGNALS: dict[str, Type] = {
    "customer_id": "string",
    "as_of_date": "date",
    "known_on": "date",
    "segment": "string",
    "tier": "string",
    "status": "string",
    "csm_id": "string",
    "tenure_days": "integer",
    "mrr": "money",
    "arr": "money",
    "mrr_90d_ago": "money",
    "due_arr_12m": "money",
    "next_renewal_date": "date",
    "days_to_renewal": "integer",
    "last_outcome": "string",
    "usage_state": "string",
    "usage_state_before": "string",
    "usage_state_since": "date",
    "days_since_last_use": "integer",
    "active_user_count_7d": "integer",
    "active_user_count_28d": "integer",
    "active_user_count_28d_before": "integer",
    "usage_level_ratio": "number",
    "login_trend_slope": "number",
    "login_ratio": "number",
    "seats_bought": "number",
    "core_breadth_ratio": "number",
    "core_depth_per_week": "number",
    "is_used_without_value": "boolean",
    "value_week_count_28d": "integer",
    "has_use_ever": "boolean",
    "days_without_first_use": "integer",
    "onboarding_status": "string",
    "onboarding_days": "integer",
    "onboarding_on_time_ratio": "number",
    "days_since_our_contact": "integer",
    "days_since_their_contact": "integer",
    "plan_days": "integer",
    "contact_age_ratio": "number",
    "has_champion_left": "boolean",
    "has_owner": "boolean",
    "renewal_talk_started_date": "date",
    "open_ticket_count": "integer",
    "unanswered_ticket_count": "integer",
    "oldest_unanswered_days": "integer",
    "ticket_count_90d": "integer",
    "ticket_csat_180d": "number",
    "nps_score": "number",
    "csat_score": "number",
    "survey_age_days": "integer",
    "csm_view": "string",
    "overdue_amount": "money",
    "overdue_days": "integer",
    "mrr_change_ratio_90d": "number",
    "days_to_exhaustion": "integer",
    "usage_stale_days": "integer",
    "crm_stale_days": "integer",
    "orders_stale_days": "integer",
}
# Used where they are there; without them they count as not measured.
OPTIONAL_SIGNALS: dict[str, Type] = {
    "next_renewal_term_months": "integer",
    "overdue_renewal_date": "date",
    "overdue_renewal_days": "integer",
    "overdue_renewal_term_months": "integer",
    "overdue_renewal_arr": "money",
    "is_usage_frozen": "boolean",
}
OPTIONAL_OUTCOMES: dict[str, Type] = {"mrr_kept": "money", "term_months": "number"}

CUSTOMER_OUTCOMES: dict[str, Type] = {
    "customer_id": "string",
    "kind": "string",
    "outcome_date": "date",
    "term_id": "string",
    "outcome": "string",
    "arr": "money",
    "known_on": "date",
    "is_provisional": "boolean",
}
CSM_CAPACITY: dict[str, Type] = {
    "csm_id": "string",
    "csm_name": "string",
    "weekly_hours": "number",
    "used_hours": "number",
    "hours_left": "number",
    "customer_count": "integer",
}
PLAYBOOK_RESPONSES: dict[str, Type] = {
    "playbook_run_id": "string",
    "warning_id": "string",
    "customer_id": "string",
    "playbook": "string",
    "kind": "string",
    "started_on": "date",
    "done_on": "date",
    "outcome": "string",
    "snoozed_until": "date",
}
NIGHT: dict[str, Type] = {
    "as_of_date": "date",
    "run_id": "string",
    "previous_night": "date",
    "code_version": "string",
}
CONNECTIONS: dict[str, Type] = {"entity": "string", "is_connected": "boolean"}

TABLES: dict[str, dict[str, Type]] = {
    "customer_signals": CUSTOMER_SIGNALS,
    "customer_outcomes": CUSTOMER_OUTCOMES,
    "csm_capacity": CSM_CAPACITY,
    "playbook_responses": PLAYBOOK_RESPONSES,
    "night": NIGHT,
    "connections": CONNECTIONS,
}
OPTIONAL: dict[str, dict[str, Type]] = {
    "customer_signals": OPTIONAL_SIGNALS,
    "customer_outcomes": OPTIONAL_OUTCOMES,
}
KEYS: dict[str, tuple[str, ...]] = {
    "customer_signals": ("customer_id", "as_of_date", "known_on"),
    "customer_outcomes": ("customer_id", "kind", "outcome_date", "term_id"),
    "csm_capacity": ("csm_id",),
    "playbook_responses": ("playbook_run_id",),
    "night": ("as_of_date",),
    "connections": ("entity",),
}


class ContractError(ValueError):
    """A contract table that cannot be used; the message names the table and what is wrong."""


class UnknownSignalError(ContractError):
    """The rules name signals that customer_signals does not have; the message names them."""


def read_table(folder: Path, table: str) -> pl.DataFrame:
    """A whole contract table, typed and sorted by its key. Raises ContractError."""
    return _collect(_scan(folder, table), table)


def read_signals(
    folder: Path, dates: Collection[date], columns: Collection[str] | None = None
) -> pl.DataFrame:
    """customer_signals of some dates as known on those dates, sorted by (customer_id, as_of_date).

    Rows of last night as known tonight (known_on later than as_of_date) are left out.
    Raises ContractError.
    """
    wanted = pl.col("as_of_date").is_in(sorted(dates)) & (
        pl.col("known_on") == pl.col("as_of_date")
    )
    rows = _scan(folder, "customer_signals").filter(wanted)
    if columns is not None:
        rows = rows.select(sorted({"customer_id", "as_of_date", "known_on", *columns}))
    return _collect(rows, "customer_signals")


def read_late_signals(folder: Path, then: date, as_of_date: date) -> pl.DataFrame:
    """customer_signals of an earlier date as known on as_of_date. Raises ContractError."""
    wanted = (pl.col("as_of_date") == then) & (pl.col("known_on") == as_of_date)
    return _collect(_scan(folder, "customer_signals").filter(wanted), "customer_signals")


def read_outcomes(folder: Path, as_of_date: date) -> pl.DataFrame:
    """customer_outcomes that were certain by as_of_date. Raises ContractError."""
    is_certain = (pl.col("known_on") <= as_of_date) & ~pl.col("is_provisional").fill_null(True)
    return _collect(_scan(folder, "customer_outcomes").filter(is_certain), "customer_outcomes")


def read_responses(folder: Path, as_of_date: date) -> pl.DataFrame:
    """playbook_responses as they stood on as_of_date. Raises ContractError."""
    rows = _scan(folder, "playbook_responses")
    is_done = pl.col("done_on") <= as_of_date
    rows = rows.filter((pl.col("started_on") <= as_of_date).fill_null(True)).with_columns(
        pl.when(is_done).then(name).alias(name) for name in ("done_on", "outcome")
    )
    return _collect(rows, "playbook_responses")


def read_signal_dates(folder: Path, as_of_date: date) -> list[date]:
    """The dates until as_of_date that customer_signals holds as known then, ascending."""
    is_then = pl.col("known_on") == pl.col("as_of_date")
    is_past = pl.col("as_of_date") <= as_of_date
    rows = _scan(folder, "customer_signals").filter(is_then & is_past)
    return rows.select(pl.col("as_of_date").unique().sort()).collect()["as_of_date"].to_list()


def read_connected_entities(folder: Path) -> frozenset[str]:
    """The entities that ever delivered."""
    rows = read_table(folder, "connections").filter(pl.col("is_connected"))
    return frozenset(rows["entity"].to_list())


def check_night(folder: Path, as_of_date: date) -> None:
    """Raises ContractError unless the tables in the folder are those of as_of_date."""
    nights = read_table(folder, "night")["as_of_date"].to_list()
    if nights != [as_of_date]:
        raise ContractError(f"night: expected one row for {as_of_date}, found {nights}")


def _scan(folder: Path, table: str) -> pl.LazyFrame:
    path = folder / f"{table}.parquet"
    if not path.exists():
        raise ContractError(f"{table}: {path} is not there")
    found = pl.read_parquet_schema(path)
    columns = TABLES[table]
    missing = [name for name in columns if name not in found]
    if missing:
        raise ContractError(f"{table}: columns missing: {', '.join(missing)}")
    optional = OPTIONAL.get(table, {})
    typed = []
    for name, dtype in found.items():
        wanted = columns.get(name) or optional.get(name)
        typed.append(_cast(table, name, dtype, wanted) if wanted else _tidy(name, dtype))
    absent = [pl.lit(None, TYPES[t]).alias(n) for n, t in optional.items() if n not in found]
    return pl.scan_parquet(path).select(*typed, *absent)


def _cast(table: str, name: str, found: pl.DataType, wanted: Type) -> pl.Expr:
    is_number = wanted in ("integer", "number", "money")
    if found != pl.Null and not (found.is_numeric() if is_number else found == TYPES[wanted]):
        raise ContractError(f"{table}: {name} should be {wanted}, found {found}")
    return _tidy(name, found).cast(TYPES[wanted])


def _tidy(name: str, dtype: pl.DataType) -> pl.Expr:
    """A value that is not finite is no measurement."""
    value = pl.col(name)
    return pl.when(value.is_finite()).then(value).alias(name) if dtype.is_float() else value


def _collect(rows: pl.LazyFrame, table: str) -> pl.DataFrame:
    frame = rows.collect()
    key = [name for name in KEYS[table] if name in frame.columns]
    if frame.select(pl.any_horizontal(pl.col(key).is_null()).any()).item():
        raise ContractError(f"{table}: null in its key ({', '.join(key)})")
    if frame.select(pl.struct(key).is_duplicated().any()).item():
        raise ContractError(f"{table}: its key ({', '.join(key)}) is not unique")
    return frame.sort(key)
