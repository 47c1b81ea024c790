"""The warehouse in memory: the compiled SQL of the dbt models, run in DAG order on small raw rows.

dbt parses once per state of the `dbt/` folder and compiles once per set of vars; a test then costs
milliseconds.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock

from dagster_project.dbt_manifest import parse_if_stale
from dagster_project.settings import Definitions, dbt_vars
from ingest.contracts import ENTITIES, SQL_TYPES, Entity

PROJECT = Path(__file__).parent.parent
DBT = PROJECT / "dbt"
COMPILED = DBT / "target" / "compiled_for_tests"

Rows = Sequence[Mapping[str, Any]]

BOOKKEEPING = {
    "_row_hash": "VARCHAR",
    "_known_at": "TIMESTAMPTZ",
    "_version_at": "TIMESTAMPTZ",
    "_file_name": "VARCHAR",
    "_batch_id": "VARCHAR",
    "_source": "VARCHAR",
    "_line": "BIGINT",
}
BATCHES = {
    "batch_id": "VARCHAR",
    "entity": "VARCHAR",
    "source": "VARCHAR",
    "delivery": "VARCHAR",
    "file_name": "VARCHAR",
    "delivered_on": "DATE",
    "known_at": "TIMESTAMPTZ",
    "batch_order": "BIGINT",
    "row_count": "BIGINT",
    "is_first_load": "BOOLEAN",
}
DELIVERIES = {
    "delivery_id": "VARCHAR",
    "entity": "VARCHAR",
    "source": "VARCHAR",
    "file_name": "VARCHAR",
    "sha256": "VARCHAR",
    "status": "VARCHAR",
    "reason": "VARCHAR",
    "delivered": "BIGINT",
    "accepted": "BIGINT",
    "quarantined": "BIGINT",
    "duplicate": "BIGINT",
    "filtered": "BIGINT",
    "admitted_on": "DATE",
    "delivered_on": "DATE",
}
ALARMS = {
    "alarm_id": "VARCHAR",
    "kind": "VARCHAR",
    "entity": "VARCHAR",
    "opened_on": "DATE",
    "detail": "VARCHAR",
}


@functools.cache
def compiled_manifest(variables: str = "{}", is_incremental: bool = False) -> dict[str, Any]:
    """The manifest with compiled SQL for these vars (JSON, over the defaults).

    As for a first night, or as for a night that finds the tables of the cache there.
    """
    folder = compiled_project(variables, is_incremental)
    hooks = json.loads((folder / "hooks.json").read_text())
    return json.loads((folder / "manifest.json").read_text()) | {"hooks": hooks}


@functools.cache
def compiled_project(variables: str = "{}", is_incremental: bool = False) -> Path:
    """The folder that dbt compiled the project into."""
    sources = sorted(
        path
        for path in DBT.rglob("*")
        if path.suffix in {".sql", ".yml", ".md", ".csv"} and "target" not in path.parts
    )
    state = hashlib.sha256(f"{variables}{is_incremental or ''}".encode())
    for path in sources:
        state.update(str(path.relative_to(DBT)).encode() + b"\0" + path.read_bytes())
    target = COMPILED / state.hexdigest()[:16]
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        # dbt writes its manifest before it has compiled: a run that was stopped leaves one.
        if not (target / "hooks.json").exists():
            target.mkdir(exist_ok=True)
            hooks = _fill_cache(target, variables) if is_incremental else {}
            # Tests are asked for under the defaults only; they cost a fifth of a compilation.
            is_default = variables == "{}" and not is_incremental
            _compile(target, variables, *[] if is_default else ["--select", "resource_type:model"])
            (target / "hooks.json").write_text(json.dumps(hooks))
    return target


def _fill_cache(target: Path, variables: str) -> dict[str, str]:
    """Make the tables of the cache; returns what is run before each of them is added to."""
    cached = {
        node["name"]: node["config"]["pre-hook"][0]["sql"]
        for node in compiled_manifest(variables)["nodes"].values()
        if node["config"]["materialized"] == "incremental"
    }
    with duckdb.connect(str(target / "cache.duckdb")) as connection:
        connection.execute("create schema if not exists intermediate")
        for name in cached:
            connection.execute(f"create or replace table intermediate.{name} (nothing integer)")
    hooks = [
        hook.replace("this", f"ref('{name}')").replace("is_incremental()", "true")
        for name, hook in cached.items()
    ]
    compiled = _compile(target, variables, "--inline", ";".join(hooks))
    (target / "manifest.json").unlink()
    return dict(zip(cached, compiled.split(";"), strict=True))


def _compile(target: Path, variables: str, *options: str) -> str:
    with FileLock(COMPILED / "parse.lock"):
        parse_if_stale()
    environment = os.environ | {
        "DBT_PROFILES_DIR": str(DBT),
        "DO_NOT_TRACK": "1",
        "CUSTOMER_HEALTH_BUILD": str(target / "night.duckdb"),
        "CUSTOMER_HEALTH_CACHE": str(target / "cache.duckdb"),
    }
    call = [
        *(sys.executable, "-m", "dagster_project.dbt_command"),
        *("--quiet", "compile", "--vars", variables),
        *("--project-dir", str(DBT), "--target-path", str(target), *options),
    ]
    done = subprocess.run(
        call, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"dbt compile failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def run_models(
    raw: Mapping[str, Rows],
    as_of_date: str | dt.date,
    models: Iterable[str],
    *,
    definitions: Definitions | None = None,
    batches: Rows = (),
    deliveries: Rows = (),
    alarms: Rows = (),
    holidays: Mapping[str, str] | None = None,
    previous_night: str | None = None,
    scores: Mapping[str, str] | None = None,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> duckdb.DuckDBPyConnection:
    """Build the named models and all they need over raw rows; returns the open connection.

    `connection` is that of the night before: what the cache holds stays. `raw` holds rows per
    entity with any of the contract's columns; `_known_at` is the entity's business time unless
    given. `scores` maps a scoring table to a SELECT that stands in for it.
    """
    definitions = definitions or Definitions()
    if connection is None:
        connection = duckdb.connect()
        connection.execute("set timezone='UTC'; attach ':memory:' as cache")
    else:
        connection.execute("use memory; detach night")
    connection.execute("attach ':memory:' as night; use night")
    connection.execute("create schema raw; create schema scores")
    day = dt.date.fromisoformat(str(as_of_date))
    load_raw(connection, raw, day, definitions.company.zone, batches)
    _create(connection, "raw.deliveries", DELIVERIES, deliveries)
    _create(connection, "raw.alarms", ALARMS, alarms)
    _create(
        connection,
        "raw.holidays",
        {"holiday_date": "DATE", "name": "VARCHAR"},
        [{"holiday_date": key, "name": value} for key, value in (holidays or {}).items()],
    )
    load_night(connection, day, definitions.company.zone, previous_night)
    for table, select in (scores or {}).items():
        connection.execute(f"create view scores.{table} as {select}")
    run_compiled(connection, models, definitions)
    return connection


def load_night(
    connection: duckdb.DuckDBPyConnection, day: dt.date, zone: str, previous_night: str | None
) -> None:
    connection.execute(
        """
        create or replace table raw.night as select
            $day::date as as_of_date,
            timezone($zone, ($day::date + 1)::timestamp) - interval 1 microsecond as as_of_end,
            'test-run' as run_id, $previous::date as previous_night, 'test' as code_version,
            'test' as rules_version, 'test' as input_fingerprint, false as is_reconstructed
        """,
        {"day": day, "zone": zone, "previous": previous_night},
    )


def run_compiled(
    connection: duckdb.DuckDBPyConnection,
    models: Iterable[str],
    definitions: Definitions | None = None,
) -> None:
    """Run the compiled SQL of these models and their ancestors, in DAG order.

    Tables that a night before left in the cache are added to, as dbt does it.
    """
    changed = {
        key: value
        for key, value in dbt_vars(definitions or Definitions()).items()
        if value != dbt_vars(Definitions())[key]
    }
    variables = json.dumps(changed, sort_keys=True)
    cached = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'cache'"
    ).fetchall()
    manifest = compiled_manifest(variables, bool(cached))
    nodes = manifest["nodes"]
    done: set[str] = set()

    def build(unique_id: str) -> None:
        node = nodes.get(unique_id)
        if node is None or node["resource_type"] != "model" or unique_id in done:
            return
        done.add(unique_id)
        for parent in node["depends_on"]["nodes"]:
            build(parent)
        if node["config"]["materialized"] == "ephemeral":
            return  # stands within the models that read it
        if (node["name"],) in cached:
            connection.execute(manifest["hooks"][node["name"]])
            connection.execute(
                f"insert into {node['relation_name']} by name {node['compiled_code']}"
            )
            return
        database, schema = node["database"], node["schema"]
        kind = "view" if node["config"]["materialized"] == "view" else "table"
        connection.execute(f'create schema if not exists "{database}"."{schema}"')
        connection.execute(
            f"create or replace {kind} {node['relation_name']} as {node['compiled_code']}"
        )

    for model in models:
        build(f"model.customer_health.{model}")


def run_model(
    name: str, relations: Mapping[str, str], variables: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of one model over relations given as queries, without its ancestors."""
    nodes = compiled_manifest(json.dumps(variables or {}, sort_keys=True))["nodes"]
    connection = duckdb.connect()
    connection.execute("set timezone='UTC'; attach ':memory:' as night")
    for relation, query in relations.items():
        node = nodes[f"model.customer_health.{relation}"]
        connection.execute(f"create schema if not exists night.{node['schema']}")
        connection.execute(f"create table {node['relation_name']} as {query}")
    found = connection.execute(nodes[f"model.customer_health.{name}"]["compiled_code"])
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def relation(columns: Mapping[str, str], rows: Rows) -> str:
    """A query for `run_model` that gives these rows; what a row does not name is null."""
    if unknown := {name for row in rows for name in row} - set(columns):
        raise KeyError(f"no such column: {sorted(unknown)}")
    listed, shape = (
        json.dumps(value, default=str).replace("'", "''")
        for value in ([dict(row) for row in rows], [dict(columns)])
    )
    return f"select listed.* from (select unnest(from_json('{listed}', '{shape}')) as listed)"


def load_raw(
    connection: duckdb.DuckDBPyConnection,
    raw: Mapping[str, Rows],
    day: dt.date,
    zone: str,
    batches: Rows,
) -> None:
    """Create every `raw` relation, typed as the contracts say; absent entities stay empty."""
    unknown = set(raw) - set(ENTITIES)
    if unknown:
        raise KeyError(f"no such entity: {sorted(unknown)}")
    listed = [dict(batch) for batch in batches]
    for entity in ENTITIES.values():
        rows = raw.get(entity.name, ())
        _create(connection, f"raw.{entity.name}", columns_of(entity), _with_defaults(entity, rows))
        _fill_bookkeeping(connection, entity, day, zone)
        known = {batch["batch_id"] for batch in listed}
        for batch_id in sorted({row.get("_batch_id", f"{entity.name}-1") for row in rows} - known):
            listed.append(_batch(entity.name, batch_id, len(rows)))
    _create(connection, "raw.batches", BATCHES, listed)


def columns_of(entity: Entity) -> dict[str, str]:
    columns = {column.name: SQL_TYPES[column.type] for column in entity.columns}
    if entity.keeps_unknown_columns:
        columns["attributes"] = "VARCHAR"
    return columns | BOOKKEEPING


def _with_defaults(entity: Entity, rows: Rows) -> list[dict[str, Any]]:
    defaults = {"_file_name": "rows.csv", "_batch_id": f"{entity.name}-1", "_source": "test"}
    return [defaults | {"_line": line} | dict(row) for line, row in enumerate(rows, start=2)]


def _fill_bookkeeping(
    connection: duckdb.DuckDBPyConnection, entity: Entity, day: dt.date, zone: str
) -> None:
    business_time = f'cast("{entity.business_time}" as timestamptz)'
    if entity.business_time is None:
        business_time = "null"
    connection.execute(
        f"""
        update raw.{entity.name} set
            _known_at = coalesce(
                _known_at, {business_time}, timezone('{zone}', cast('{day}' as timestamp))
            )
        """
    )
    fill_hashes(connection, entity)


def fill_hashes(connection: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    """Fingerprints of the rows' contents, where they have none."""
    content = ", '|', ".join(f'"{column}"::varchar' for column in entity.column_names)
    connection.execute(
        f"update raw.{entity.name} set _row_hash = md5(concat({content})) where _row_hash is null"
    )


def _batch(entity: str, batch_id: str, row_count: int) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "entity": entity,
        "source": "test",
        "delivery": "changes",
        "file_name": "rows.csv",
        "known_at": "1990-01-01T00:00:00Z",
        "batch_order": 1,
        "row_count": row_count,
        "is_first_load": True,
    }


def _create(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], rows: Rows
) -> None:
    types = ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
    connection.execute(f"create table {table} ({types})")
    insert_rows(connection, table, columns, rows)


def insert_rows(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], rows: Rows
) -> None:
    """Rows with any of the columns; what a row does not name is null."""
    if unknown := {name for row in rows for name in row} - set(columns):
        raise KeyError(f"{table} has no column {sorted(unknown)}")
    # One statement for all rows: each of its own costs a millisecond.
    connection.execute(
        f"""
        insert into {table}
        select listed.* from (select unnest(from_json($rows, $shape)) as listed)
        """,
        {
            "rows": json.dumps([dict(row) for row in rows], default=str),
            "shape": json.dumps([dict(columns)]),
        },
    )
