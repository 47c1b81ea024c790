"""The whole pipeline on one page: landing, facts, scores, reports, publication."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from dagster_project import dbt_manifest, dbt_runs, front_door, scores, warehouse
from dagster_project.config import ConfigurationError, config_path, home_path, load
from dagster_project.night import Night
from exports.tables import EXPORTS
from ingest.contracts import ENTITIES

POOL = "night"
SCORE_KEYS = [dg.AssetKey(["scores", table]) for table in warehouse.SCORE_TABLES]


@dg.multi_asset(
    specs=front_door.entity_specs(),
    check_specs=front_door.batch_check_specs(),
    pool=POOL,
)
def landing(
    context: dg.AssetExecutionContext, night: Night
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Every file that is new, checked row by row; one asset an entity."""
    yield from front_door.land(night)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["raw", name],
            group_name="landing",
            deps=[dg.AssetKey(["raw", entity]) for entity in ENTITIES],
        )
        for name in front_door.LEDGER_RELATIONS
    ],
    pool=POOL,
)
def raw_relations(
    context: dg.AssetExecutionContext, night: Night
) -> Iterator[dg.MaterializeResult[Any]]:
    """A fresh private file with relations over everything landed, and the night's identity."""
    identity = front_door.open_private_file(night)
    for name in front_door.LEDGER_RELATIONS:
        yield dg.MaterializeResult(["raw", name], metadata={"run_id": identity.run_id})


@dbt_assets(manifest=dbt_manifest.MANIFEST, exclude="tag:reports", name="facts", pool=POOL)
def facts(context: dg.AssetExecutionContext, dbt: dbt_runs.Dbt, night: Night) -> Iterator[Any]:
    """What happened and what it means: staging, intermediate, marts, the contract tables."""
    yield from dbt_runs.build(context, dbt, night)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key,
            group_name="scoring",
            deps=[dg.AssetKey(["contract", table]) for table in warehouse.CONTRACT_TABLES],
        )
        for key in SCORE_KEYS
    ],
    pool=POOL,
)
def scoring(context: dg.AssetExecutionContext, night: Night) -> Iterator[dg.MaterializeResult[Any]]:
    """How worried are we: health, its components, warnings."""
    metadata: Mapping[str, Any] = scores.say(night)
    for key in SCORE_KEYS:
        yield dg.MaterializeResult(key, metadata=metadata)


@dbt_assets(manifest=dbt_manifest.MANIFEST, select="tag:reports", name="reports", pool=POOL)
def reports(context: dg.AssetExecutionContext, dbt: dbt_runs.Dbt, night: Night) -> Iterator[Any]:
    """Tables that need facts and scores, such as customer_360."""
    yield from dbt_runs.build(context, dbt, night)


@dg.asset(
    deps=dbt_runs.asset_keys(export.name for export in EXPORTS),
    group_name="publication",
    pool=POOL,
)
def publication(context: dg.AssetExecutionContext, night: Night) -> dg.MaterializeResult[Any]:
    """The audited night: DuckDB file, CSV and Parquet, page. A red check publishes nothing."""
    return dg.MaterializeResult(metadata=scores.publish(night))


# A night that is rebuilt, and one that only tries a configuration, read what was landed before.
REBUILT = (raw_relations, facts, scoring, reports, publication)
FACTS = (raw_relations, facts)


def definitions(night: Night, zone: str = "UTC", hour: int = 3) -> dg.Definitions:
    """The pipeline for one company."""
    nightly = dg.define_asset_job(
        "nightly",
        selection=dg.AssetSelection.all(),
        executor_def=dg.in_process_executor,
        description="Files in, checked, landed, modelled, scored, audited, published.",
    )
    return dg.Definitions(
        assets=[landing, raw_relations, facts, scoring, reports, publication],
        jobs=[nightly],
        schedules=[
            dg.ScheduleDefinition(
                job=nightly, cron_schedule=f"0 {hour} * * *", execution_timezone=zone
            )
        ],
        resources={
            "night": night,
            "dbt": dbt_runs.Dbt(
                project_dir=str(dbt_manifest.PROJECT),
                profiles_dir=str(dbt_manifest.PROJECT),
                dbt_executable=sys.executable,
                global_config_flags=["-m", "dagster_project.dbt_command"],
            ),
        },
        executor=dg.in_process_executor,
    )


@dg.definitions
def company_definitions() -> dg.Definitions:
    """What Dagster's page and daemon load: the company of $CUSTOMER_HEALTH_CONFIG."""
    path = config_path()
    try:
        zone = load(path).company.zone
    except ConfigurationError as error:
        raise dg.DagsterInvalidDefinitionError(str(error)) from None
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    night = Night(config_file=str(path), home_folder=str(Path(home_path())))
    return definitions(night, zone)
