"""The main job from the command line: the same definitions the schedule runs, in this process."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import dagster as dg

from dagster_project.config import ConfigurationError
from dagster_project.definitions import definitions
from dagster_project.home import Home, one_night_at_a_time
from dagster_project.night import Night
from dagster_project.notices import tell_refused
from exports.last_run import LastRun, write_last_run

PUBLISHED, REFUSED, MISCONFIGURED = 0, 1, 2


@dataclass(frozen=True)
class Outcome:
    """How a night ended, one line per reason. `exit_code` as the command line returns it."""

    exit_code: int
    reasons: tuple[str, ...] = ()


def run_night(night: Night, steps: Sequence[dg.AssetsDefinition] = ()) -> Outcome:
    """Run the nightly job, or some of its steps; raises NightRunning when the data root is held.

    Dagster keeps its records of this run in memory, which saves a tenth of the night; what a
    person needs later stands in the data root's log.
    """
    home = night.home
    with one_night_at_a_time(home), dg.DagsterInstance.ephemeral() as instance:
        started_at = dt.datetime.now(dt.UTC)
        job = definitions(night).resolve_job_def("nightly")
        with _noise_to(home.log / "nightly.log"):
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                asset_selection=[key for step in steps for key in step.keys] or None,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        if result.success:
            return Outcome(PUBLISHED)
        outcome = refused(result.all_events, home, started_at)
    untold = tell_refused(Path(night.config_file), outcome.reasons)
    return Outcome(outcome.exit_code, (*outcome.reasons, *untold))


def refused(events: Sequence[dg.DagsterEvent], home: Home, started_at: dt.datetime) -> Outcome:
    """Leaves the reasons where monitoring looks; a mistake of the configuration has its own code.

    The whole story goes to log/last_error.txt.
    """
    errors = list(_innermost_errors(events))
    reasons = tuple(said for _, said in errors)
    is_misconfigured = ConfigurationError.__name__ in (kind for kind, _ in errors)
    code = MISCONFIGURED if is_misconfigured else REFUSED
    now = dt.datetime.now(dt.UTC)
    write_last_run(home.root, LastRun("refused", code, started_at, now, messages=reasons))
    found = [getattr(event.event_specific_data, "error", None) for event in events]
    story = [error.to_string() for error in found if error is not None]
    (home.log / "last_error.txt").write_text("\n".join(story), encoding="utf-8")
    return Outcome(code, reasons)


@contextlib.contextmanager
def _noise_to(path: Path) -> Iterator[TextIO]:
    """What libraries print goes to a file; what a person reads goes through PROGRESS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open("w", encoding="utf-8") as stream,
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        yield stream


def _innermost_errors(events: Iterable[dg.DagsterEvent]) -> Iterator[tuple[str, str]]:
    """(class, message) of what each failed step, or the start of the night, failed of."""
    for event in events:
        is_failed_step = event.is_failure and event.is_step_event
        error = getattr(event.event_specific_data, "error", None)
        if error is None or not (is_failed_step or event.is_resource_init_failure):
            continue
        while error.cause is not None:
            error = error.cause
        said = error.message.partition(": ")[2].strip() or error.message.strip()
        yield error.cls_name or "", said
