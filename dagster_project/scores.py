"""The second half of a night: scores are said, and the audited night is published."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from dagster_project import warehouse
from dagster_project.config import ConfigurationError
from dagster_project.dbt_manifest import MANIFEST
from dagster_project.inputs import CONFIGURATION, INPUTS, read_noted
from dagster_project.night import Night
from dagster_project.notices import company_told, tell_published
from dagster_project.terminal import PROGRESS
from exports.expectations import HEALTH_BANDS, check_frames, read_frames
from exports.last_run import LastRun, write_last_run
from exports.publication import publish_night
from exports.summary import say_summary, summarise_night
from scoring.memory import append_said
from scoring.night import score_night
from scoring.signals import UnknownSignalError


def say(night: Night) -> dict[str, Any]:
    """Score tonight's customers and make the result relations for dbt; returns metadata.

    Raises ConfigurationError for rules that name a signal there is not.
    """
    handed_over = warehouse.hand_over_contract(night.home)
    try:
        report = score_night(
            night.home.contract,
            night.home.root,
            night.configuration.scoring,
            night.date,
            warehouse.run_id(night.home),
            night.configuration.company.language,
            {
                CONFIGURATION: night.configuration.as_kept(),
                INPUTS: read_noted(night.home),
            },
            currency=night.configuration.company.currency,
        )
    except UnknownSignalError as error:
        raise ConfigurationError(f"{night.config_file}: scoring: {error}") from None
    warehouse.attach_scores(night.home, report.folder)
    PROGRESS.info(
        "scored     %s customer%s: %s",
        f"{report.customer_count:,}",
        "" if report.customer_count == 1 else "s",
        ", ".join(
            f"{report.band_counts[band]:,} {band}"
            for band in HEALTH_BANDS
            if band in report.band_counts
        )
        or "none has MRR",
    )
    return {
        "customer_signals_rows": handed_over["customer_signals"],
        "rules_version": report.rules_version,
        "customers": report.customer_count,
        "bands": report.band_counts,
        "mean_score": report.mean_score or 0.0,
        "median_score": report.median_score or 0.0,
        "mean_coverage": report.mean_coverage or 0.0,
        "warnings": report.warning_counts,
        "verdict": report.verdict,
    }


def publish(night: Night) -> dict[str, Any]:
    """Audit and publish; from now on later nights remember what was said. Returns metadata."""
    company = night.configuration.company
    report = publish_night(
        night.home.build_file,
        MANIFEST,
        night.home.root,
        night.configuration.exports,
        company_told(night.configuration),
        check=lambda connection, relations: night.head_start.guard(
            check_frames, read_frames(connection, relations)
        ),
    )
    append_said(night.home.root, night.date, report.night.run_id)
    summary = summarise_night(report)
    write_last_run(
        night.home.root,
        LastRun(
            outcome="published",
            exit_code=0,
            started_at=night.started_at,
            finished_at=dt.datetime.now(dt.UTC),
            as_of_date=night.date,
            run_id=report.night.run_id,
            messages=(
                *say_summary(summary, company.currency),
                *tell_published(night.configuration, report),
            ),
            rows={
                name: getattr(summary, f"rows_{name}")
                for name in ("in", "accepted", "quarantined", "duplicate")
            },
        ),
    )
    PROGRESS.info("published  %s tables", len(report.row_counts))
    return {
        "run_id": report.night.run_id,
        "database": str(report.database),
        "folder": str(report.folder),
        "rows": report.row_counts,
        "warnings": [str(dataclasses.asdict(finding)) for finding in report.warnings],
    }
