"""One night as a Dagster resource: its configuration, data root, date and lock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from dagster_project.config import Configuration, ConfigurationError, load
from dagster_project.dates import as_date, refuse_future, today_in
from dagster_project.dead_runs import end_dead_runs
from dagster_project.endings import told_when_refused
from dagster_project.head_start import HeadStart, head_start
from dagster_project.home import Home, one_night_at_a_time
from dagster_project.terminal import PROGRESS
from ingest.config import Company
from ingest.horizon import latest_data

STALE_DAYS = 7


class Night(dg.ConfigurableResource):
    """What all steps of one night share; it holds the data root's lock while they run.

    `as_of` is a date, or empty for what the configuration says. A night that is rebuilt has a
    configuration that was kept; `is_reconstructed` when it was never run before.
    """

    config_file: str
    home_folder: str
    as_of: str = ""
    is_rebuilt: bool = False
    is_reconstructed: bool = False

    _configuration: Configuration = PrivateAttr()
    _date: dt.date = PrivateAttr()
    _started_at: dt.datetime = PrivateAttr()
    _head_start: HeadStart = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Night, None, None]:
        run_id, instance = context.run.run_id if context.run else "", context.instance
        with (
            one_night_at_a_time(self.home),
            told_when_refused(self.home, Path(self.config_file), run_id, instance),
        ):
            if instance is not None:
                end_dead_runs(instance, alive=run_id)
            self._configuration = load(Path(self.config_file), self.is_rebuilt)
            self._started_at = dt.datetime.now(dt.UTC)
            with head_start() as self._head_start:
                self._date = self._as_of_date()
                yield self

    @property
    def home(self) -> Home:
        return Home(Path(self.home_folder))

    @property
    def configuration(self) -> Configuration:
        return self._configuration

    @property
    def config_folder(self) -> Path:
        return Path(self.config_file).parent

    @property
    def date(self) -> dt.date:
        """D: everything that happened and was known up to the end of this day counts."""
        return self._date

    @property
    def started_at(self) -> dt.datetime:
        """The moment of landing; only rows from the future are told by it."""
        return self._started_at

    @property
    def head_start(self) -> HeadStart:
        """What gets ready beside the landing."""
        return self._head_start

    @property
    def company(self) -> Company:
        return company_of(self.configuration)

    def _as_of_date(self) -> dt.date:
        today = today_in(self.company.zone, self._started_at)
        day = self._chosen_date(today)
        if day == today:
            PROGRESS.info(
                "note       %s is not over in %s: its use is partial, and a feed may look silent",
                day,
                self.company.zone,
            )
        return day

    def _chosen_date(self, today: dt.date) -> dt.date:
        if self.as_of:
            day = as_date(self.as_of)
            refuse_future(day, today)
            return day
        if self.configuration.as_of == "yesterday":
            return today - dt.timedelta(days=1)
        PROGRESS.info("looking for the latest data", extra={"is_running": True})
        sources = self.configuration.sources.resolved(self.config_folder)
        latest = latest_data(sources, self.home.root, self.company, self._started_at)
        if latest is None:
            raise ConfigurationError(
                f"{self.config_file}: as_of: latest_data: no source has any data; "
                "look with `customer-health check`"
            )
        if (today - latest).days > STALE_DAYS:
            PROGRESS.info(
                "note       the latest data is of %s, %s days ago", latest, (today - latest).days
            )
        return latest


def company_of(configuration: Configuration) -> Company:
    """What the front door must know of the company."""
    company = configuration.company
    return Company(company.zone, company.currency, company.country, company.started_on)
