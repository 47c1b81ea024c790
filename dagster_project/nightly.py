"""The main job from the command line: the same definitions the schedule runs, in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import dagster as dg

from dagster_project.definitions import definitions
from dagster_project.endings import PUBLISHED, Outcome, outcome_of
from dagster_project.home import one_night_at_a_time
from dagster_project.night import Night


def run_night(night: Night, steps: Sequence[dg.AssetsDefinition] = ()) -> Outcome:
    """Run the nightly job, or some of its steps; raises NightRunning when the data root is held.

    KeyboardInterrupt when it is asked to stop, by SIGTERM too.

    Dagster keeps its records of this run in memory, which saves a tenth of the night; what a
    person needs later stands in the data root's log.
    """
    home = night.home
    with one_night_at_a_time(home), dg.DagsterInstance.ephemeral() as instance:
        job = definitions(night).resolve_job_def("nightly")
        with _noise_to(home.log / "nightly.log"):
            try:
                result = job.execute_in_process(
                    instance=instance,
                    raise_on_error=False,
                    asset_selection=[key for step in steps for key in step.keys] or None,
                    run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                )
            except dg.DagsterExecutionInterruptedError:
                raise KeyboardInterrupt from None
    return Outcome(PUBLISHED) if result.success else outcome_of(result.all_events)


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
