"""A build of dbt's models within a night, and what dbt says when one is red."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DbtCliResource
from packaging.version import Version

from dagster_project.dbt_call import cache_file, environment, target_folder, variables
from dagster_project.dbt_manifest import MANIFEST
from dagster_project.night import Night
from dagster_project.terminal import PROGRESS

OUT_OF_MEMORY = "Out of Memory Error"
MORE_MEMORY = "Raise memory_limit in customer_health.yml, or run where there is more memory."


class Dbt(DbtCliResource):
    """`dbt_command` as dagster-dbt calls it, without a second dbt for what is known without.

    It would start one to ask for the version, and make an adapter in this process, twice a night
    and for seconds, that only fetches row counts.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        return None


class FactsRefused(Exception):
    """A dbt model or test is red: one line each."""


def build(context: dg.AssetExecutionContext, dbt: Dbt, night: Night) -> Iterator[Any]:
    """Run the selected models with their tests; raises FactsRefused with what is red."""
    os.environ |= environment(night.home, night.configuration)
    PROGRESS.info("modelling  %s", context.op.name, extra={"is_running": True})
    wait_until_free(cache_file(night.home))
    target = target_folder(night.home)
    call = dbt.cli(
        ["build", "--vars", variables(night.configuration), "--exclude-resource-type", "unit_test"],
        context=context,
        target_path=target,
        raise_on_error=False,
    )
    yield from call.stream()
    results = read_results(target / "run_results.json")
    PROGRESS.info(
        "modelled   %-20s %s tables, %s tests",
        context.op.name,
        sum(result["unique_id"].startswith("model.") for result in results),
        sum(result["unique_id"].startswith("test.") for result in results),
    )
    for line in lines_of(results, {"warn"}):
        PROGRESS.warning("warned     %s", line)
    if not call.is_successful():
        red_lines = lines_of(results, {"error", "fail"})
        raise FactsRefused("\n".join(red_lines) or str(call.get_error()))


def wait_until_free(file: Path, patience: float = 300, step: float = 0.5) -> None:
    """Return when no other process holds the DuckDB file; dbt tells of one that never lets go.

    A night that was killed may leave its dbt running for a moment.
    """
    for _ in range(int(patience / step)):
        try:
            duckdb.connect(file).close()
        except duckdb.IOException as error:
            if "lock" not in str(error):
                return
            time.sleep(step)
        else:
            return


def read_results(run_results: Path) -> list[dict[str, Any]]:
    """What dbt says of each node of its last call."""
    if not run_results.exists():
        return []
    results = json.loads(run_results.read_text(encoding="utf-8"))["results"]
    return list(results)


def lines_of(results: list[dict[str, Any]], statuses: set[str]) -> list[str]:
    """One line per model or test that ended with one of these statuses."""
    return [
        f"{result['unique_id'].split('.')[2]}: {_in_one_line(str(result['message']))}"
        for result in results
        if result["status"] in statuses
    ]


def _in_one_line(message: str) -> str:
    """Of what DuckDB advises where memory ends, only what a user of this project can set."""
    reason, out_of_memory, rest = message.partition(OUT_OF_MEMORY)
    if out_of_memory:
        message = f"{reason}{OUT_OF_MEMORY}{rest.partition('Possible solutions')[0]} {MORE_MEMORY}"
    return " ".join(message.split())


def asset_keys(models: Iterable[str]) -> list[dg.AssetKey]:
    """The asset keys of models, as dagster-dbt names them: schema and name."""
    nodes = json.loads(MANIFEST.read_text(encoding="utf-8"))["nodes"].values()
    schemas = {
        node["name"]: node["config"].get("schema")
        for node in nodes
        if node["resource_type"] == "model"
    }
    return [
        dg.AssetKey([schemas[model], model] if schemas[model] else [model])
        for model in models
        if model in schemas
    ]
