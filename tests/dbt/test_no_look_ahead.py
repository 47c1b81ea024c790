"""What is learnt later changes nothing that was said of a day: every entity, on the compiled SQL.

Companies at random are told on DAY; then rows come, change or vanish that were not known on it.
Nights after DAY, and DAY's own with the news lying in landing, must hold the same of DAY.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingest.contracts import ENTITIES
from tests.dbt.random_companies import DAY, LATER, Company, Row
from tests.warehouse import (
    BATCHES,
    BOOKKEEPING,
    columns_of,
    insert_rows,
    load_night,
    run_compiled,
    run_models,
)

COMPANY_COUNT = 40
NEWS_A_COMPANY = 4
CONTRACT = ("customer_signals", "customer_outcomes")
KEYS = {
    "customer_signals": ("customer_id", "as_of_date", "known_on"),
    "customer_outcomes": ("customer_id", "kind", "outcome_date", "term_id"),
}
HOWS = ("inserted", "changed", "deleted")


class Warehouse:
    """All companies in one connection; news come and go, the first load stays."""

    def __init__(self) -> None:
        self.companies = [Company(number, seed=number) for number in range(COMPANY_COUNT)]
        raw = {
            entity: [row for company in self.companies for row in company.rows[entity]]
            for entity in ENTITIES
        }
        batches = [batch for company in self.companies for batch in company.batches()]
        self.connection = run_models(raw, LATER, CONTRACT, batches=batches)
        self.connection.execute("create schema told")
        self.remember(LATER)

    def remember(self, night: date) -> None:
        for table in CONTRACT:
            self.connection.execute(
                f"create table told.{table} as select * from night.contract.{table} "
                f"where known_on <= '{DAY}'"
            )

    def hear(self, news: list[tuple[str, list[Row], Row]]) -> None:
        for entity in sorted({entity for entity, _, _ in news}):
            rows = [row for name, found, _ in news if name == entity for row in found]
            insert_rows(self.connection, f"raw.{entity}", columns_of(ENTITIES[entity]), rows)
            content = ", '|', ".join(f'"{c}"::varchar' for c in ENTITIES[entity].column_names)
            self.connection.execute(
                f"update raw.{entity} set _row_hash = md5(concat({content})) "
                "where _row_hash is null"
            )
        insert_rows(self.connection, "raw.batches", BATCHES, [batch for _, _, batch in news])

    def forget(self) -> None:
        for entity in ENTITIES:
            self.connection.execute(f"delete from raw.{entity} where _batch_id like '%-late%'")
        self.connection.execute("delete from raw.batches where batch_id like '%-late%'")

    def changes(self) -> list[str]:
        """What is no longer as it was told: table, company, column, how often."""
        found = []
        for table in CONTRACT:
            found += differing(self.connection, table)
        return sorted(found)


def differing(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    columns = [
        row[0]
        for row in connection.execute(f"select name from pragma_table_info('told.{table}')").fetchall()
    ]
    keys = KEYS[table]
    joined = f"""
        (select * from night.contract.{table} where known_on <= '{DAY}') as now
        full join told.{table} as told using ({", ".join(keys)})
    """
    company = "split_part(customer_id, '-', 2)"
    found = connection.execute(
        f"""
        select {company}, 'row ' || case when now.known_on is null then 'gone' else 'new' end, count(*)
        from {joined.replace("known_on is null", "known_on is null")}
        where now.rowid is null or told.rowid is null group by all
        """
        if False
        else f"""
        select {company}, 'rows', count(*) from (
            (select customer_id, {", ".join(keys[1:])} from told.{table}
             except all
             select customer_id, {", ".join(keys[1:])} from night.contract.{table}
             where known_on <= '{DAY}')
            union all
            (select customer_id, {", ".join(keys[1:])} from night.contract.{table}
             where known_on <= '{DAY}'
             except all
             select customer_id, {", ".join(keys[1:])} from told.{table})
        ) group by all
        """
    ).fetchall()
    listed = [f"company {number}: {table} {what} x{count}" for number, what, count in found]
    for column in columns:
        if column in keys:
            continue
        rows = connection.execute(
            f"""
            select {company}, count(*) from {joined}
            where now."{column}" is distinct from told."{column}" group by all
            """
        ).fetchall()
        listed += [f"company {number}: {table}.{column} x{count}" for number, count in rows]
    return listed
