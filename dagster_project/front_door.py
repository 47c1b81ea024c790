"""The first half of a night: new files are landed and made relations of a fresh private file."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project import inputs, warehouse
from dagster_project.code_version import code_version
from dagster_project.config import Configuration, ConfigurationError
from dagster_project.home import Home, one_night_at_a_time
from dagster_project.night import Night, company_of
from dagster_project.terminal import PROGRESS
from ingest import raw_relations
from ingest.check import FileCheck, SourceCheck, check_sources
from ingest.config import Company
from ingest.contracts import ENTITIES
from ingest.expectations import GuardResult, guard_batches
from ingest.landing import land_entity
from ingest.replay import replay
from ingest.reports import Alarm, FileReport, LandingReport
from scoring.memory import memory_fingerprint, previous_night

LEDGER_RELATIONS = ("night", "batches", "deliveries", "alarms", "holidays")
BATCH_CHECK = "batch_is_as_expected"


class LandingRefused(Exception):
    """A file of a blocking entity is unusable: the night may not go on without it."""


def entity_specs() -> list[dg.AssetSpec]:
    """One asset an entity; dbt knows the same relations as its sources."""
    return [
        dg.AssetSpec(["raw", entity.name], group_name="landing", description=entity.description)
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
    if note := note_of_later_files(reports.values(), night.date):
        PROGRESS.info("note       %s", note)
    PROGRESS.info("comparing batches with earlier ones", extra={"is_running": True})
    # All that this night admitted, in whichever of its runs: the same night has the same alarms.
    guards = night.head_start.guard(
        guard_batches, night.home.root, night.configuration.sources, admitted_on=night.date
    )
    for guard in guards:
        if not guard.success:
            PROGRESS.info("alarm      %s: %s", guard.entity, guard.detail)
    inputs.write_alarms(night.home, [*_landing_alarms(reports.values()), *_guard_alarms(guards)])
    for entity in ENTITIES:
        yield dg.MaterializeResult(
            ["raw", entity],
            metadata=_metadata(reports.get(entity)),
            check_results=[_check_result(entity, [g for g in guards if g.entity == entity])],
        )
    refuse_blocked(reports.values(), guards)


def note_of_later_files(reports: Iterable[LandingReport], date: dt.date) -> str | None:
    """A file of today is known at the end of today: the night of yesterday does not know it yet."""
    days = [
        file.delivered_on
        for report in reports
        for file in report.files
        if file.status == "landed" and file.delivered_on and file.delivered_on > date
    ]
    if not days:
        return None
    return (
        f"files of a later day than {date}: {len(days)}; what was first known by them counts from "
        f"then, or now with `--as-of {max(days)}`"
    )


def refuse_blocked(reports: Iterable[LandingReport], guards: Iterable[GuardResult]) -> None:
    """Raises LandingRefused, one line a reason, where an entity marked blocking is unusable."""
    reasons = [alarm.detail for report in reports if report.is_blocked for alarm in report.alarms]
    reasons += [
        f"{guard.entity}: {guard.detail}"
        for guard in guards
        if not guard.success and guard.severity == "error"
    ]
    if reasons:
        raise LandingRefused("\n".join(reasons))


def land_all(night: Night) -> Iterator[LandingReport]:
    sources = night.configuration.sources.resolved(night.config_folder)
    for entity in sources.entities():
        PROGRESS.info("landing    %s", entity, extra={"is_running": True})
        report = land_entity(
            entity,
            sources,
            night.home.root,
            night.date,
            night.company,
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
    """Make the fresh private file with all raw relations; returns who tonight is.

    What is read is noted beside it, for scoring to keep.
    """
    home = night.home
    inputs.note_inputs(home, night.date)
    fingerprint = raw_relations.input_fingerprint(home.root)
    last = previous_night(home.root, night.date)
    identity = raw_relations.Night(
        as_of_date=night.date,
        as_of_end=night.company.end_of(night.date),
        run_id=run_id(night, fingerprint),
        previous_night=last.as_of_date if last else None,
        code_version=code_version(),
        rules_version=night.configuration.scoring.rules_version,
        input_fingerprint=fingerprint,
        is_reconstructed=night.is_reconstructed,
    )
    with warehouse.fresh(home) as connection:
        raw_relations.open_raw(
            connection, home.root, identity, night.company, alarms=inputs.read_alarms(home)
        )
    PROGRESS.info("night      of %s, run %s", identity.as_of_date, identity.run_id)
    return identity


def run_id(night: Night, fingerprint: str) -> str:
    """Hash of all that decides the night's content: date, rows, configuration, code, memory."""
    content: dict[str, Any] = {
        "as_of_date": night.date.isoformat(),
        "rows": fingerprint,
        "configuration": night.configuration.as_kept(),
        "code": code_version(),
        "memory": memory_fingerprint(night.home.root, night.date),
    }
    if night.is_reconstructed:  # not the same as a first night, which remembers nothing either
        content["is_reconstructed"] = True
    text = json.dumps(content, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def check_files(configuration: Configuration, folder: Path, company: Company) -> SourceCheck:
    """What each file would bring, without writing."""
    return check_sources(configuration.sources.resolved(folder), company, dt.datetime.now(dt.UTC))


def replay_files(
    configuration: Configuration, folder: Path, home: Home, entity: str | None
) -> Iterator[str]:
    """Admit kept files again; one line a file. Raises ConfigurationError for no such entity."""
    fed = configuration.sources.entities()
    if entity is not None and entity not in fed:
        raise ConfigurationError(f"no source feeds {entity!r}; fed are {', '.join(sorted(fed))}")
    with one_night_at_a_time(home):
        reports = replay(
            home.root,
            configuration.sources.resolved(folder),
            company_of(configuration),
            dt.datetime.now(dt.UTC),
            entity,
            configuration.memory_limit,
        )
    for report in reports:
        for file in report.files:
            yield describe_file(report.entity, file)


def describe_file(entity: str, file: FileReport) -> str:
    """One line: what became of a file."""
    if file.status == "landed":
        counts = (file.delivered, file.accepted, file.quarantined, file.duplicate)
        told = "{:,} in = {:,} accepted + {:,} quarantined + {:,} duplicate".format(*counts)
    else:
        told = f"{file.status}: {file.reason}" if file.reason else file.status
    return f"{entity:<20} {file.file_name}: {told}"


def describe_checks(checks: Iterable[FileCheck]) -> Iterator[str]:
    """The lines of `customer-health check`; how columns are read, once for files read alike."""
    told: list[list[str]] = []
    for check in checks:
        yield describe_file(check.entity, check.report)
        columns = list(_describe_columns(check))
        if (place := [check.entity, check.report.source, *columns]) not in told:
            told.append(place)
            yield from columns
        yield from _describe_problems(check)


def _describe_columns(check: FileCheck) -> Iterator[str]:
    for ours, theirs in check.mapped.items():
        yield f"    {ours} <- {theirs}"
    if check.taken:
        yield f"    taken by our names: {', '.join(check.taken)}"
    if check.report.unmapped:
        is_kept = ENTITIES[check.entity].keeps_unknown_columns and "attributes" not in check.mapped
        kept = ", kept as attributes" if is_kept else ""
        yield f"    not mapped{kept}: {', '.join(check.report.unmapped)}"


def _describe_problems(check: FileCheck) -> Iterator[str]:
    for problem in check.problems:
        place = f"line {problem.line}" + (f", {problem.column}" if problem.column else "")
        others = f" ({problem.rows:,} rows like it)" if problem.rows > 1 else ""
        yield f"    would be quarantined: {place}: {problem.reason}{others}"
    for hint in check.hints:
        yield f"    hint: {hint}"


def describe_total(report: SourceCheck) -> str:
    """The last line of `customer-health check`."""
    files = [file.report for file in report.files]
    refused = sum(file.status == "refused" for file in files)
    columns = ("delivered", "accepted", "quarantined", "duplicate")
    counts = (sum(getattr(file, column) for file in files) for column in columns)
    told = "{:,} rows in = {:,} accepted + {:,} quarantined + {:,} duplicate".format(*counts)
    plural = "" if len(files) == 1 else "s"
    return f"{len(files)} file{plural}, {refused} refused; {told}"


def _landing_alarms(reports: Iterable[LandingReport]) -> list[Alarm]:
    return [alarm for report in reports for alarm in report.alarms]


def _guard_alarms(guards: Iterable[GuardResult]) -> list[Alarm]:
    return [
        Alarm("unusual_batch", guard.entity, guard.detail) for guard in guards if not guard.success
    ]


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


def _check_result(entity: str, guards: list[GuardResult]) -> dg.AssetCheckResult:
    failed = [guard for guard in guards if not guard.success]
    is_error = any(guard.severity == "error" for guard in failed)
    return dg.AssetCheckResult(
        check_name=BATCH_CHECK,
        asset_key=dg.AssetKey(["raw", entity]),
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        metadata={guard.name: guard.detail for guard in failed},
    )
