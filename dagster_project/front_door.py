"""The first half of a night: new files are landed and made relations of a fresh private file."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project import warehouse
from dagster_project.code_version import code_version
from dagster_project.config import Configuration
from dagster_project.home import Home, one_night_at_a_time
from dagster_project.night import Night
from dagster_project.terminal import PROGRESS
from ingest import expectations
from ingest.check import check_files
from ingest.config import Company
from ingest.contracts import ENTITIES
from ingest.landing import LandingReport, land_entity
from ingest import raw_relations
from ingest.raw_relations import input_fingerprint, open_raw
from ingest.replay import replay
from scoring.memory import memory_fingerprint, previous_night

LEDGER_RELATIONS = ("night", "batches", "deliveries", "alarms", "holidays")
BATCH_CHECK = "batch_is_as_expected"


class LandingRefused(Exception):
    """A file of a blocking entity is unusable: the night may not go on without it."""


def entity_specs() -> list[dg.AssetSpec]:
    """One asset an entity; dbt knows the same relations as its sources."""
    return [
        dg.AssetSpec(
            ["raw", entity.name], group_name="landing", description=entity.description
        )
        for entity in ENTITIES.values()
    ]


def batch_check_specs() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            BATCH_CHECK,
            asset=dg.AssetKey(["raw", entity.name]),
            description="Volume, empty fields and keys are like those of earlier batches.",
        )
        for entity in ENTITIES.values()
    ]


def land(night: Night) -> Iterator[dg.MaterializeResult[Any]]:
    """Admit every new file; one result an entity. Raises LandingRefused for blocking ones."""
    reports = {report.entity: report for report in land_all(night)}
    findings = expectations.check_batches(
        night.home.root, list(reports.values()), night.configuration.sources
    )
    blocked = [report.entity for report in reports.values() if report.is_blocked]
    for entity in ENTITIES:
        report = reports.get(entity)
        yield dg.MaterializeResult(
            ["raw", entity],
            metadata=_metadata(report),
            check_results=[_check_result(entity, findings.get(entity, []))],
        )
    if blocked:
        details = [alarm.detail for name in blocked for alarm in reports[name].alarms]
        raise LandingRefused("\n".join(details))


def land_all(night: Night) -> Iterator[LandingReport]:
    sources = night.configuration.sources.resolved(night.config_folder)
    company = ingest_company(night.configuration)
    for entity in sources.entities():
        PROGRESS.info("landing    %s", entity, extra={"is_running": True})
        report = land_entity(
            entity,
            sources,
            night.home.root,
            night.date,
            company,
            night.started_at,
            night.configuration.memory_limit,
        )
        if report.files:
            PROGRESS.info(
                "landed     %-20s %s in = %s accepted + %s quarantined + %s duplicate",
                entity,
                *(
                    f"{count:,}"
                    for count in (
                        report.delivered,
                        report.accepted,
                        report.quarantined,
                        report.duplicate,
                    )
                ),
            )
        for alarm in report.alarms:
            PROGRESS.info("alarm      %s: %s", alarm.kind, alarm.detail)
        yield report


def open_private_file(night: Night) -> raw_relations.Night:
    """Make the fresh private file with all raw relations; returns who tonight is."""
    configuration, home = night.configuration, night.home
    company = ingest_company(configuration)
    fingerprint = input_fingerprint(home.root)
    last = previous_night(home.root, night.date)
    identity = raw_relations.Night(
        as_of_date=night.date,
        as_of_end=company.end_of(night.date),
        run_id=run_id(night.date, fingerprint, configuration, home),
        previous_night=last.as_of_date if last else None,
        code_version=code_version(),
        rules_version=configuration.scoring.rules_version,
        input_fingerprint=fingerprint,
        is_reconstructed=False,
    )
    with warehouse.fresh(home) as connection:
        open_raw(connection, home.root, identity, company)
    PROGRESS.info("night      of %s, run %s", identity.as_of_date, identity.run_id)
    return identity


def run_id(date: dt.date, fingerprint: str, configuration: Configuration, home: Home) -> str:
    """Hash of all that decides the night's content: date, rows, configuration, code, memory."""
    content = {
        "as_of_date": date.isoformat(),
        "rows": fingerprint,
        "configuration": configuration.model_dump(mode="json", exclude={"sources"}),
        "code": code_version(),
        "memory": memory_fingerprint(home.root, date),
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def ingest_company(configuration: Configuration) -> Company:
    company = configuration.company
    return Company(company.zone, company.currency, company.country, company.started_on)


def check_sources(configuration: Configuration, folder: Path, home: Home) -> list[dict[str, Any]]:
    """What each file would bring, without writing."""
    return check_files(
        configuration.sources.resolved(folder),
        home.root,
        ingest_company(configuration),
        dt.datetime.now(dt.UTC),
    )


def replay_files(
    configuration: Configuration, folder: Path, home: Home, entity: str | None
) -> Iterator[str]:
    """Admit kept files again; one line a file."""
    with one_night_at_a_time(home):
        yield from replay(
            home.root,
            configuration.sources.resolved(folder),
            ingest_company(configuration),
            dt.datetime.now(dt.UTC),
            entity,
        )


def _metadata(report: LandingReport | None) -> dict[str, Any]:
    if report is None:
        return {"delivered": "not connected"}
    return {
        "files": len(report.files),
        "delivered": report.delivered,
        "accepted": report.accepted,
        "quarantined": report.quarantined,
        "duplicate": report.duplicate,
        "dagster/row_count": report.accepted,
        "alarms": [alarm.detail for alarm in report.alarms],
    }


def _check_result(entity: str, findings: list[expectations.Finding]) -> dg.AssetCheckResult:
    failed = [finding for finding in findings if not finding.success]
    is_error = any(finding.severity == "error" for finding in failed)
    return dg.AssetCheckResult(
        check_name=BATCH_CHECK,
        asset_key=dg.AssetKey(["raw", entity]),
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        metadata={finding.name: finding.detail for finding in failed},
    )
