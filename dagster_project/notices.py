"""Who is told how a night ended, as `notices:` says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dagster_project.config import Configuration, ConfigurationError, load
from exports.config import Company
from exports.notices import tell_alarms, tell_digests, tell_failure
from exports.publication import PublicationReport


def company_told(configuration: Configuration) -> Company:
    """The company as the page and the notices name it."""
    company = configuration.company
    return Company(company.name, company.currency, company.zone, company.language)


def tell_published(configuration: Configuration, report: PublicationReport) -> list[str]:
    """New alarms and the digests; returns a line for each notice that could not be sent."""
    notices, company = configuration.notices, company_told(configuration)
    night, database = report.night, report.database
    try:
        return [
            *tell_alarms(notices, company, database, night.as_of_date, night.previous_night),
            *tell_digests(notices, company, database, night.as_of_date),
        ]
    except Exception as error:  # the night is published; a notice must not undo that
        return [f"Notice    not sent: {error}"]


def tell_refused(config_file: Path, reasons: Iterable[str]) -> list[str]:
    """That nothing was published; returns a line for each notice that could not be sent."""
    try:
        configuration = load(config_file)
    except ConfigurationError:
        return []  # whom to tell is not known either
    company = configuration.company
    return tell_failure(configuration.notices, company.name, reasons, company.language)
