"""How dbt is called: its project, its vars, its files, and what it says when a test is red."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource

from dagster_project.dbt_manifest import MANIFEST, PROJECT
from dagster_project.night import Night
from dagster_project.settings import dbt_vars
from dagster_project.terminal import PROGRESS

ROLLUP_PARTS = {"macros", "use", "logins"}


class FactsRefused(Exception):
    """A dbt model or test is red: one line each."""


def build(context: dg.AssetExecutionContext, dbt: DbtCliResource, night: Night) -> Iterator[Any]:
    """Run the selected models with their tests; raises FactsRefused with what is red."""
    os.environ |= environment(night)
    PROGRESS.info("modelling  %s", context.op.name, extra={"is_running": True})
    # One target folder from night to night: dbt parses again only what has changed.
    target = night.home.cache / "dbt"
    hours = night.configuration.scoring.budget.hours_per_warning
    variables = json.dumps(dbt_vars(night.configuration, hours), sort_keys=True)
    call = dbt.cli(
        ["build", "--vars", variables, "--exclude-resource-type", "unit_test"],
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
    if not call.is_successful():
        raise FactsRefused("\n".join(red_lines(results)) or str(call.get_error()))


def environment(night: Night) -> dict[str, str]:
    return {
        "CUSTOMER_HEALTH_BUILD": str(night.home.build_file),
        "CUSTOMER_HEALTH_CACHE": str(cache_file(night)),
        "CUSTOMER_HEALTH_MEMORY": night.configuration.memory_limit,
        "DBT_LOG_PATH": str(night.home.log),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def cache_file(night: Night) -> Path:
    """The roll-up's file: another one as soon as the SQL that makes it changes.

    A change of definitions is noticed by the roll-up itself.
    """
    digest = hashlib.sha256()
    for path in sorted(PROJECT.rglob("*.sql")):
        if ROLLUP_PARTS & set(path.parts):
            digest.update(path.read_bytes())
    file = night.home.cache / f"use-{digest.hexdigest()[:12]}.duckdb"
    for other in night.home.cache.glob("use-*.duckdb*"):
        if not other.name.startswith(file.name):
            other.unlink()
    return file


def read_results(run_results: Path) -> list[dict[str, Any]]:
    """What dbt says of each node of its last call."""
    if not run_results.exists():
        return []
    results = json.loads(run_results.read_text(encoding="utf-8"))["results"]
    return list(results)


def red_lines(results: list[dict[str, Any]]) -> list[str]:
    """One line per failed model or test."""
    return [
        f"{result['unique_id'].split('.')[2]}: {' '.join(str(result['message']).split())}"
        for result in results
        if result["status"] in {"error", "fail"}
    ]


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
