"""What is learnt later changes nothing that was said of a day: every entity, on the compiled SQL.

Companies at random are told until DAY; then rows come, change or vanish that nobody knew on it. A
night weeks later must hold the same of DAY as before the news, and DAY's own night, with the news
lying in landing, must say the same scores. A merge joins two histories for all of the past: DAY's
own night stays the same, and a later one holds what it would, had the merge been known all along.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from dagster_project.warehouse import CONTRACT_TABLES
from ingest.contracts import ENTITIES, EVENTS
from scoring.config import load_rules
from scoring.night import score_night
from tests.dbt.random_companies import DAY, LATER, Company, CompanyWithOutage
from tests.warehouse import (
    BATCHES,
    columns_of,
    fill_hashes,
    insert_rows,
    load_night,
    run_compiled,
    run_models,
)

# What a thing counts as is no news but another definition: it holds for all of history at once,
# like the configuration.
DEFINITIONS = {"features", "products"}
# A tenant that moves takes its history with it; a new one brings it from the day it is known.
MOVES = {("tenants", "changed")}
# A rate told late for an earlier day values anew what was due in that currency.
VALUED_ANEW = {"exchange_rates": {"customer_outcomes.arr"}}
NEWS = [
    (entity, how)
    for entity in sorted(set(ENTITIES) - DEFINITIONS)
    for how in ("inserted", "changed", "deleted")
    if (entity, how) not in MOVES
]
# Beside these, companies hear what an outage of their feed held back.
LATE = [(EVENTS, "late")] * 12
KEYS = {
    "customer_signals": ("customer_id", "as_of_date", "known_on"),
    "customer_outcomes": ("customer_id", "kind", "outcome_date", "term_id"),
}
# A signal that looks ahead: the worst survey answer, whenever it was given.
LEAK = """
create or replace table night.contract.customer_signals as
select signals.* replace (coalesce(answers.score, nps_score) as nps_score)
from night.contract.customer_signals as signals
left join (
    select customer_id, min(score)::double as score from raw.surveys group by customer_id
) as answers using (customer_id)
"""
pytestmark = pytest.mark.xdist_group("look_ahead")
# Told of the night itself only.
OF_TONIGHT = {
    *("usage_state", "usage_state_before", "usage_state_since", "is_usage_frozen", "status"),
    *("overdue_renewal_date", "overdue_renewal_days", "overdue_renewal_term_months"),
    *("overdue_renewal_arr", "days_to_exhaustion"),
}
Told = dict[str, dict[tuple[Any, ...], dict[str, Any]]]
News = tuple[str, list[dict[str, Any]], dict[str, Any]]


class Warehouse:
    """As many companies as kinds of news, in one connection: first loads stay, news come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.companies = [Company(number, seed=number) for number in range(len(NEWS))]
        self.companies += [
            CompanyWithOutage(number, seed=number)
            for number in range(len(NEWS), len(NEWS) + len(LATE))
        ]
        raw = {
            entity: [row for company in self.companies for row in company.rows[entity]]
            for entity in ENTITIES
        }
        batches = [batch for company in self.companies for batch in company.batches()]
        self.connection = run_models(raw, DAY, (), batches=batches)

    def hear(self, news: list[tuple[str, str]], chance: random.Random) -> None:
        """Lands one piece of news for each company."""
        self._land(
            [
                (entity, *company.learn(entity, how, random.Random(chance.random())))
                for company, (entity, how) in zip(self.companies, news, strict=False)
            ]
        )

    def merge(self, seed: int, *, is_early: bool) -> dict[int, set[str]]:
        """Merges two customers of each company; which, by the company's number."""
        chance = random.Random(seed)
        heard: list[News] = [
            ("customers", *company.merge(random.Random(chance.random()), is_early))
            for company in self.companies
        ]
        self._land(heard)
        return {
            company.number: {row["customer_id"], row["merged_into_customer_id"]}
            for company, (_, (row,), _) in zip(self.companies, heard, strict=True)
        }

    def _land(self, heard: list[News]) -> None:
        for entity in sorted({entity for entity, _, _ in heard}):
            rows = [row for name, found, _ in heard if name == entity for row in found]
            insert_rows(self.connection, f"raw.{entity}", columns_of(ENTITIES[entity]), rows)
            fill_hashes(self.connection, ENTITIES[entity])
        insert_rows(self.connection, "raw.batches", BATCHES, [batch for _, _, batch in heard])

    def forget(self) -> None:
        for entity in ENTITIES:
            self.connection.execute(f"delete from raw.{entity} where _batch_id like '%-late'")
        self.connection.execute("delete from raw.batches where batch_id like '%-late'")

    def forget_cache(self) -> None:
        """The next night counts all use anew: what is kept hides where the past was changed."""
        self.connection.execute("drop schema if exists cache.intermediate cascade")

    def tell(self, leak: str | None = None, night: dt.date = LATER) -> Told:
        """What a night, the later one, holds of DAY and of the days before it."""
        load_night(self.connection, night, "UTC", None)
        run_compiled(self.connection, KEYS)
        if leak:
            self.connection.execute(leak)
        told = {}
        for table, keys in KEYS.items():
            found = self.connection.execute(
                f"select * from night.contract.{table} where known_on <= '{DAY}'"
            )
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
            told[table] = {tuple(row[key] for key in keys): row for row in rows}
        return told

    def score(self) -> dict[str, str]:
        """The digests of all that DAY's own night says."""
        load_night(self.connection, DAY, "UTC", None)
        run_compiled(self.connection, CONTRACT_TABLES)
        contract = self.folder / "contract"
        contract.mkdir(exist_ok=True)
        relations = {table: f"night.contract.{table}" for table in CONTRACT_TABLES}
        for table, relation in (relations | {"night": "raw.night"}).items():
            self.connection.execute(
                f"copy (select * from {relation} order by all) to '{contract}/{table}.parquet'"
            )
        home = self.folder / str(len(list(self.folder.iterdir())))
        report = score_night(contract, home, load_rules(), DAY, "run")
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in report.folder.iterdir()}


def list_changes(before: Told, after: Told, news: list[tuple[str, str]]) -> list[str]:
    """Every piece of news that changed the past, with the columns it changed."""
    changed: dict[int, set[str]] = {}
    for table in KEYS:
        then, now = before[table], after[table]
        for key in then.keys() | now.keys():
            company = changed.setdefault(int(key[0].split("-")[1]), set())
            if key not in then or key not in now:
                company.add(f"{table} rows")
            elif then[key] != now[key]:
                row, other = then[key], now[key]
                company.update(f"{table}.{name}" for name in row if row[name] != other[name])
    return [
        f"{entity} {how}: {', '.join(sorted(columns))}"
        for number, (entity, how) in enumerate(news)
        if (columns := changed.get(number, set()) - VALUED_ANEW.get(entity, set()))
    ]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    yield Warehouse(tmp_path_factory.mktemp("look ahead"))


@pytest.fixture(scope="module")
def told(warehouse: Warehouse) -> Told:
    return warehouse.tell()


@pytest.fixture(scope="module")
def said(warehouse: Warehouse) -> dict[str, str]:
    return warehouse.score()


def test_the_companies_have_something_to_tell(told: Told):
    signals = list(told["customer_signals"].values())
    for column in ("mrr", "usage_level_ratio", "overdue_days", "nps_score", "csm_id"):
        assert sum(row[column] is not None for row in signals) > 200, column
    kinds = [row["kind"] for row in told["customer_outcomes"].values()]
    assert kinds.count("mrr_loss") > 30 and kinds.count("renewal") > 30


# Each example is a piece of every kind of news, each to a company of its own: about 400 cases, the
# same in every run. The two that are named once found a leak: through a renewal judged with later
# versions, and through a later version of an order.
@settings(
    max_examples=2,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@example(seed=1006, is_rebuilt=False)
@example(seed=1002, is_rebuilt=True)
@given(seed=st.integers(0, 2**32), is_rebuilt=st.booleans())
def test_news_change_nothing_that_was_said(
    warehouse: Warehouse, told: Told, said: dict[str, str], seed: int, is_rebuilt: bool
):
    chance = random.Random(seed)
    news = chance.sample(NEWS, len(NEWS)) + LATE
    warehouse.hear(news, chance)
    if is_rebuilt:
        warehouse.forget_cache()
    try:
        assert list_changes(told, warehouse.tell(), news) == []
        assert warehouse.score() == said
    finally:
        warehouse.forget()


def test_a_merge_joins_two_histories_and_brings_nothing_else_into_them(
    warehouse: Warehouse, told: Told, said: dict[str, str]
):
    try:
        merged = warehouse.merge(1, is_early=False)
        joined = warehouse.tell()
        assert warehouse.score() == said
        warehouse.forget()
        warehouse.merge(1, is_early=True)
        assert warehouse.tell() == joined
    finally:
        warehouse.forget()
    changed = {
        key[0]
        for table in KEYS
        for key in told[table].keys() | joined[table].keys()
        if told[table].get(key) != joined[table].get(key)
    }
    assert len(changed) > 100
    assert changed <= set.union(*merged.values())


def test_a_later_night_holds_of_a_day_what_its_own_night_did(warehouse: Warehouse, told: Told):
    own, later = (
        {
            key: {name: value for name, value in row.items() if name not in OF_TONIGHT}
            for key, row in found["customer_signals"].items()
        }
        for found in (warehouse.tell(night=DAY), told)
    )
    assert own.keys() == later.keys()
    differing = [(key, own[key], later[key]) for key in own if own[key] != later[key]]
    assert differing == []


def test_a_planted_signal_that_looks_ahead_is_caught(warehouse: Warehouse):
    before = warehouse.tell(LEAK)
    news = [("surveys", "inserted")] * len(NEWS)
    warehouse.hear(news, random.Random(1))
    try:
        found = list_changes(before, warehouse.tell(LEAK), news)
    finally:
        warehouse.forget()
    assert set(found) == {"surveys inserted: customer_signals.nps_score"}
    assert len(found) > 10
