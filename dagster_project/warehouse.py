"""The private DuckDB file of a night, between the steps: opened, handed over, never published."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.home import Home

CONTRACT_TABLES = (
    "customer_signals",
    "customer_outcomes",
    "csm_capacity",
    "playbook_responses",
    "connections",
)
SCORE_TABLES = (
    "health_scores",
    "health_components",
    "health_changes",
    "churn_probabilities",
    "churn_warnings",
    "warning_savings",
    "score_report_card",
    "score_calibration",
    "score_disagreements",
    "signal_cohorts",
    "signal_restatements",
)


def fresh(home: Home) -> duckdb.DuckDBPyConnection:
    """A new, empty private file; what an earlier night left there is gone."""
    home.build.mkdir(parents=True, exist_ok=True)
    home.cache.mkdir(parents=True, exist_ok=True)
    for leftover in home.build.glob("night.duckdb*"):
        leftover.unlink()
    return opened(home)


def opened(home: Home) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(home.build_file)
    connection.execute("set TimeZone = 'UTC'")
    return connection


def hand_over_contract(home: Home, folder: Path | None = None) -> dict[str, int]:
    """Write the contract tables and the night as Parquet for scoring; returns rows per table.

    Into `folder`, else where tonight's scoring looks.
    """
    folder = folder or home.contract
    folder.mkdir(parents=True, exist_ok=True)
    rows = {}
    with duckdb.connect(home.build_file, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table, relation in _contract_relations().items():
            target = folder / f"{table}.parquet"
            connection.execute(
                f"copy (select * from {relation} order by all) to '{_quoted(target)}'"
                " (format parquet)"
            )
            rows[table] = _count(connection, relation)
    return rows


def attach_scores(home: Home, scores_folder: Path) -> None:
    """Make tonight's scoring tables relations of the private file, for dbt's reports."""
    with opened(home) as connection:
        connection.execute("create schema if not exists scores")
        for table in SCORE_TABLES:
            file = _quoted(scores_folder / f"{table}.parquet")
            connection.execute(
                f"create or replace view scores.{table} as select * from read_parquet('{file}')"
            )


def run_id(home: Home) -> str:
    """Tonight's run_id, once the raw relations stand."""
    with opened(home) as connection:
        row = connection.execute("select run_id from raw.night").fetchone()
    if row is None:
        raise RuntimeError(f"{home.build_file}: raw.night is empty")
    return str(row[0])


def row_count(home: Home, relation: str) -> int:
    with opened(home) as connection:
        return _count(connection, relation)


def _contract_relations() -> dict[str, str]:
    return {table: f"contract.{table}" for table in CONTRACT_TABLES} | {"night": "raw.night"}


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"select count(*) from {relation}").fetchone()
    return int(row[0]) if row else 0


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
