"""How dbt is called: its project, its vars, its files, and what it says when a test is red."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb
from dagster_dbt import DbtCliResource

from dagster_project.config import Configuration
from dagster_project.dbt_manifest import MANIFEST, PROJECT, executable
from dagster_project.home import Home
from dagster_project.settings import dbt_vars
from dagster_project.terminal import PROGRESS

if TYPE_CHECKING:
    from dagster_project.night import Night

OUT_OF_MEMORY = "Out of Memory Error"
MORE_MEMORY = "Raise memory_limit in customer_health.yml, or run where there is more memory."
ROLLUP_PARTS = {"macros", "use", "logins"}


class Dbt(DbtCliResource):
    """dbt's command line as dagster-dbt calls it, without a second dbt in this process.

    The adapter it would make here, twice a night and for seconds, only fetches row counts.
    """

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        return None


class FactsRefused(Exception):
    """A dbt model or test is red: one line each."""


def build(context: dg.AssetExecutionContext, dbt: Dbt, night: Night) -> Iterator[Any]:
    """Run the selected models with their tests; raises FactsRefused with what is red."""
    os.environ |= environment(night.home, night.configuration)
    PROGRESS.info("modelling  %s", context.op.name, extra={"is_running": True})
    night.head_start.wait_for_parse()
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


def parse_command(home: Home, configuration: Configuration, config_file: Path) -> list[str]:
    """The call that parses for this company ahead of the build; empty when nothing has changed."""
    parsed = target_folder(home) / "partial_parse.msgpack"
    decisive = (MANIFEST, config_file)
    if parsed.exists() and all(parsed.stat().st_mtime > path.stat().st_mtime for path in decisive):
        return []
    return [
        *(executable(), "--quiet", "parse", "--project-dir", str(PROJECT)),
        *("--profiles-dir", str(PROJECT), "--target-path", str(target_folder(home))),
        *("--vars", variables(configuration)),
    ]


def environment(home: Home, configuration: Configuration) -> dict[str, str]:
    """What dbt's profile reads; the paths are part of what dbt parses for."""
    return {
        "CUSTOMER_HEALTH_BUILD": str(home.build_file),
        "CUSTOMER_HEALTH_CACHE": str(cache_file(home)),
        "CUSTOMER_HEALTH_MEMORY": configuration.memory_limit,
        "DBT_LOG_LEVEL_FILE": "none",  # what dbt says stands in nightly.log
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def variables(configuration: Configuration) -> str:
    """The company's definitions as dbt takes them."""
    hours = configuration.scoring.budget.hours_per_warning
    return json.dumps(dbt_vars(configuration, hours), sort_keys=True)


def target_folder(home: Home) -> Path:
    """One folder from night to night: dbt parses again only what has changed."""
    return home.cache / "dbt"


def cache_file(home: Home) -> Path:
    """The roll-up's file: another one as soon as the SQL that makes it changes.

    A change of definitions is noticed by the roll-up itself.
    """
    digest = hashlib.sha256()
    for path in sorted(PROJECT.rglob("*.sql")):
        parts = set(path.relative_to(PROJECT).parts)
        if ROLLUP_PARTS & parts and "target" not in parts:
            digest.update(path.read_bytes())
    file = home.cache / f"use-{digest.hexdigest()[:12]}.duckdb"
    for other in home.cache.glob("use-*.duckdb*"):
        if not other.name.startswith(file.name):
            other.unlink()
    return file


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
