"""How dbt is called for a company: its command, its vars, its environment, its files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from dagster_project.config import Configuration
from dagster_project.dbt_manifest import PROJECT
from dagster_project.home import Home
from dagster_project.settings import dbt_vars

ROLLUP_PARTS = {"macros", "use", "logins"}


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
