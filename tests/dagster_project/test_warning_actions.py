"""The queue of warnings goes out, is filled in, comes back through the inbox, and is heard."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from dagster_project.starter import configuration_text
from exports.crm_files import WARNING_ACTIONS, stage_warning_actions
from exports.staging import StagedTable
from sample_company.configuration import write_configuration
from scoring.signals import PLAYBOOK_RESPONSES
from tests.ingest.conftest import FrontDoor
from tests.scoring.contract_frames import NIGHT
from tests.scoring.nights import Story, table, weak
from tests.warehouse import run_models

TOMORROW = NIGHT + timedelta(days=1)
NEXT_WEEK = NIGHT + timedelta(days=7)


def written_for(whom: str, folder: Path) -> dict[str, Any]:
    """The configuration that `init` writes, and that of the sample company."""
    if whom == "init":
        return yaml.safe_load(configuration_text())
    write_configuration(folder, date(2022, 1, 1))
    return yaml.safe_load((folder / "customer_health.yml").read_text())


def queue_of(warnings: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """warning_actions as it is exported."""
    warnings.write_parquet(folder / "churn_warnings.parquet")
    names = warnings.select("customer_id", customer_name=pl.lit("Name, GmbH")).unique()
    names.write_parquet(folder / "customer_360.parquet")
    tables = {
        name: StagedTable(WARNING_ACTIONS, folder / f"{name}.parquet", {}, 0)
        for name in ("churn_warnings", "customer_360")
    }
    with duckdb.connect() as connection:
        staged = stage_warning_actions(connection, tables, folder)
    return pl.read_parquet(staged.path)


def answers_known(door: FrontDoor, mapping: dict[str, Any], on: date) -> list[dict[str, Any]]:
    """playbook_responses of a night that finds the file in the inbox."""
    door.sources = {"warning_actions": mapping | {"location": str(door.inbox)}}
    door.night(str(on), "playbook_runs")
    with door.raw(str(on)) as connection:
        landed = read(connection, "select * from raw.playbook_runs")
    connection = run_models({"playbook_runs": landed}, on, ["playbook_responses"])
    columns = ", ".join(PLAYBOOK_RESPONSES)
    return read(connection, f"select {columns} from night.contract.playbook_responses")


def read(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = connection.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("whom", ["init", "sample"])
def test_a_queue_that_is_filled_in_and_dropped_back_is_heard_the_next_night(whom, tmp_path):
    mapping = written_for(whom, tmp_path)["sources"]["warning_actions"]
    story = Story(tmp_path / "var")
    customers = [weak(customer_id=name) for name in ("done", "later", "no", "open")]
    queue = queue_of(table(story.night(*customers), "churn_warnings"), tmp_path)
    assert queue.height == 4

    customer = pl.col("customer_id")
    filled = queue.with_columns(
        action=pl.when(customer == "done").then(pl.lit("called"))
        .when(customer == "no").then(pl.lit("skipped")),
        snoozed_until=pl.when(customer == "later").then(pl.lit(NEXT_WEEK)),
        note=pl.when(customer != "open").then(pl.lit('they said "later", twice')),
    )  # fmt: skip
    door = FrontDoor(tmp_path / "company")
    door.drop("warning_actions.csv", filled.write_csv())
    answers = answers_known(door, mapping, TOMORROW)
    assert {row["customer_id"]: row["outcome"] for row in answers} == {
        "done": 'called: they said "later", twice',
        "later": 'they said "later", twice',
        "no": 'skipped: they said "later", twice',
    }

    listed = table(story.night(*customers, playbook_responses=answers), "churn_warnings")
    status = {row["customer_id"]: (row["status"], row["close_reason"]) for row in listed.to_dicts()}
    assert status == {
        "done": ("closed", "playbook_done"),
        "later": ("snoozed", None),
        "no": ("ongoing", None),
        "open": ("ongoing", None),
    }
