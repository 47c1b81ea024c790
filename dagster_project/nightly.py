"""The main job from the command line: the same definitions the schedule runs, in this process."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import dagster as dg

from dagster_project.definitions import definitions
from dagster_project.home import Home, one_night_at_a_time
from dagster_project.night import Night
from exports.last_run import LastRun, write_last_run


@dataclass(frozen=True)
class Outcome:
    """How a night ended: published, or refused with one line per reason."""

    is_published: bool
    reasons: tuple[str, ...] = ()


def run_night(config_file: Path, home: Home, as_of: str = "") -> Outcome:
    """Run the nightly job; raises NightRunning when another night holds the data root.

    Dagster keeps its records of this run in memory, which saves a tenth of the night; what a
    person needs later stands in the data root's log.
    """
    with one_night_at_a_time(home), dg.DagsterInstance.ephemeral() as instance:
        started_at = dt.datetime.now(dt.UTC)
        night = Night(config_file=str(config_file), home_folder=str(home.root), as_of=as_of)
        job = definitions(night).resolve_job_def("nightly")
        with _noise_to(home.log / "nightly.log"):
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        if result.success:
            return Outcome(is_published=True)
        reasons = tuple(_reasons(result, home))
        now = dt.datetime.now(dt.UTC)
        write_last_run(home.root, LastRun("refused", 1, started_at, now, messages=reasons))
        return Outcome(is_published=False, reasons=reasons)


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


def _reasons(result: dg.ExecuteInProcessResult, home: Home) -> Iterator[str]:
    """The innermost message of each failed step; the whole story goes to log/last_error.txt."""
    story = []
    for event in result.all_events:
        data = event.event_specific_data
        error = getattr(data, "error", None)
        if not event.is_failure or error is None:
            continue
        story.append(error.to_string())
        while error.cause is not None:
            error = error.cause
        if event.is_step_event or event.is_resource_init_failure:
            yield error.message.partition(": ")[2].strip() or error.message.strip()
    (home.log / "last_error.txt").write_text("\n".join(story), encoding="utf-8")
