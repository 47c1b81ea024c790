"""Great Expectations at the front door: does a batch look like the ones before it?

Row rules are SQL (`rules.py`); here whole batches are compared with earlier ones: how many rows,
how many empty values, unique keys. Of events a one-row profile is validated, not the rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, cast

import duckdb

from ingest.config import SourcesConfig
from ingest.contracts import ENTITIES, EVENTS, Entity
from ingest.ledger import Entry, Ledger
from ingest.sql import name, text

if TYPE_CHECKING:
    import pandas as pd

EARLIER_BATCHES = 8
FEWEST_EARLIER = 3
LARGEST_FRAME = 2_000_000


@dataclass(frozen=True)
class Tolerance:
    """How far a batch may stray from the median of earlier ones before it is reported."""

    volume_factor: float = 5.0
    null_share_drift: float = 0.25


@dataclass(frozen=True)
class GuardResult:
    """One expectation of one batch. `severity`: error where the entity is blocking, else warn."""

    entity: str
    batch_id: str
    name: str
    success: bool
    severity: str
    detail: str


@dataclass(frozen=True)
class Expected:
    """One expectation before Great Expectations knows of it: its class name and arguments.

    `said` is what a person reads when it is not met.
    """

    name: str
    kind: str
    arguments: dict[str, Any]
    said: str


def guard_batches(
    home: Path,
    config: SourcesConfig,
    admitted_on: date | None = None,
    batches: Iterable[str] | None = None,
    tolerance: Tolerance | None = None,
) -> tuple[GuardResult, ...]:
    """Validates the active batches that a night admitted, of all entities at once.

    Importing Great Expectations takes seconds, so call it once a night; without new batches it is
    not imported at all. `batches` narrows the choice.
    """
    chosen = None if batches is None else set(batches)
    ledger, allowed = Ledger(home), tolerance or Tolerance()
    jobs: list[tuple[Entry, list[Expected], str]] = []
    for entity in ENTITIES:
        active = ledger.active(entity)
        for entry in active:
            if admitted_on is not None and entry.admitted_on != admitted_on:
                continue
            if chosen is not None and entry.batch_id not in chosen:
                continue
            if entry.accepted:
                expected = _expectations(ledger, entry, _earlier(entry, active), allowed)
                jobs.append((entry, expected, _severity(config, entry)))
    return tuple(_validate(ledger, jobs)) if jobs else ()


def _severity(config: SourcesConfig, entry: Entry) -> str:
    source = config.root.get(entry.source)
    mapping = source.entities.get(entry.entity) if source else None
    return "error" if mapping and mapping.blocking else "warn"


def _earlier(entry: Entry, active: Sequence[Entry]) -> list[Entry]:
    """The batches before it that it can be compared with: same source and delivery, same weekday.

    A back-fill says nothing about a day's volume, and neither does a Friday about a Sunday.
    """
    same = [
        other
        for other in active
        if (other.source, other.delivery) == (entry.source, entry.delivery)
        and other.order < entry.order
        and _weekday(other) == _weekday(entry)
        and (other.delivery == "full" or not other.is_first_load)
        and other.accepted
    ]
    return same[-EARLIER_BATCHES:]


def _weekday(entry: Entry) -> int | None:
    """Of changes, which come as things happen; a full delivery is the same on every day."""
    is_dated = entry.delivery == "changes" and entry.delivered_on is not None
    return entry.delivered_on.weekday() if is_dated and entry.delivered_on else None


def _expectations(
    ledger: Ledger, entry: Entry, earlier: Sequence[Entry], tolerance: Tolerance
) -> list[Expected]:
    entity = ENTITIES[entry.entity]
    expected = []
    if len(earlier) >= FEWEST_EARLIER:
        usual = median(other.accepted for other in earlier)
        expected.append(_volume(entity, entry, usual, tolerance))
        for column, share in _filled_shares(ledger, entity, earlier).items():
            # The door refuses rows that lack a required value; here only habits are compared.
            if share and not entity.column(column).is_required:
                expected.append(_filled(entity, column, share, tolerance))
    if entity.key:
        # Rows of one file may be versions of a key where the source says which is newer.
        unique = {"column_list": [*entity.key, "_version_at"]}
        said = f"the key ({', '.join(entity.key)}) is not unique"
        expected.append(Expected("key unique", "ExpectCompoundColumnsToBeUnique", unique, said))
    return expected


def _volume(entity: Entity, entry: Entry, usual: float, tolerance: Tolerance) -> Expected:
    bounds: dict[str, Any] = {
        "min_value": int(usual / tolerance.volume_factor),
        "max_value": int(usual * tolerance.volume_factor) + 1,
    }
    said = f"{entry.accepted:,} rows, where about {usual:,.0f} are usual"
    if entity.name == EVENTS:
        bounds["column"] = "row_count"
        return Expected("volume", "ExpectColumnValuesToBeBetween", bounds, said)
    return Expected("volume", "ExpectTableRowCountToBeBetween", bounds, said)


def _filled(entity: Entity, column: str, usual: float, tolerance: Tolerance) -> Expected:
    least = max(0.0, usual - tolerance.null_share_drift)
    said = f"{column} is filled in fewer than {least:.0%} of rows, {usual:.0%} are usual"
    if entity.name == EVENTS:
        arguments = {"column": f"{column}_filled", "min_value": least}
        return Expected(f"{column} filled", "ExpectColumnValuesToBeBetween", arguments, said)
    arguments = {"column": column, "mostly": least}
    return Expected(f"{column} filled", "ExpectColumnValuesToNotBeNull", arguments, said)


def _filled_shares(ledger: Ledger, entity: Entity, entries: Sequence[Entry]) -> dict[str, float]:
    """Median share of filled values over batches, of columns all of them have."""
    columns = [
        column.name
        for column in entity.columns
        if all(column.name in entry.columns for entry in entries)
    ]
    shares: dict[str, list[float]] = {column: [] for column in columns}
    with duckdb.connect() as connection:
        for entry in entries:
            row = connection.execute(_shares_query(columns, ledger.rows(entry))).fetchall()[0]
            for column, share in zip(columns, row, strict=True):
                shares[column].append(share)
    return {column: median(values) for column, values in shares.items()}


def _shares_query(columns: Sequence[str], path: Path) -> str:
    counts = ", ".join(f"count({name(column)}) / count(*)" for column in columns)
    return f"select {counts} from read_parquet({text(str(path))})"


def _frame(ledger: Ledger, entry: Entry) -> pd.DataFrame:
    import pandas  # noqa: PLC0415 - slow to import

    entity = ENTITIES[entry.entity]
    path = text(str(ledger.rows(entry)))
    columns = [column.name for column in entity.columns if column.name in entry.columns]
    if entity.name == EVENTS:
        shares = ", ".join(
            f"count({name(column)}) / count(*) as {name(column + '_filled')}" for column in columns
        )
        query = f"select count(*) as row_count, {shares} from read_parquet({path})"
    else:
        chosen = ", ".join(name(column) for column in [*columns, "_version_at"])
        query = f"select {chosen} from read_parquet({path}) limit {LARGEST_FRAME}"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        cursor = connection.execute(query)
        names = [described[0] for described in cursor.description or ()]
        # Row by row: every value keeps its own type, and an empty one stays empty.
        return pandas.DataFrame(cursor.fetchall(), columns=names, dtype=object)


def _validate(
    ledger: Ledger, jobs: Sequence[tuple[Entry, list[Expected], str]]
) -> Iterable[GuardResult]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # Slow to import, and analytics must be off before.
    import great_expectations as gx  # noqa: PLC0415
    from great_expectations import expectations  # noqa: PLC0415
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    landing = context.data_sources.add_pandas("landing")
    for entry, expected, severity in jobs:
        if not expected:
            continue
        batch_id = str(entry.batch_id)
        definition = landing.add_dataframe_asset(
            f"{entry.entity} {batch_id}"
        ).add_batch_definition_whole_dataframe("all")
        batch = definition.get_batch({"dataframe": _frame(ledger, entry)})
        suite = gx.ExpectationSuite(
            name=batch_id,
            expectations=[
                getattr(expectations, item.kind)(
                    **item.arguments, meta={"name": item.name, "said": item.said}
                )
                for item in expected
            ],
        )
        for result in batch.validate(suite, result_format="BASIC").results:
            meta = cast(Any, result.expectation_config).meta
            yield GuardResult(
                entity=entry.entity,
                batch_id=batch_id,
                name=str(meta["name"]),
                success=bool(result.success),
                severity=severity,
                detail=f"{entry.source} {entry.file_name}: {meta['said']}",
            )
