"""How a refused night ends, whoever started it: its reasons for monitoring, a notice for people."""

from __future__ import annotations

import datetime as dt
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from dagster_project.config import ConfigurationError
from dagster_project.home import Home
from dagster_project.notices import tell_refused
from dagster_project.terminal import PROGRESS
from exports.last_run import LastRun, write_last_run
from ingest.refusals import QUERY_STOPPED

PUBLISHED, REFUSED, MISCONFIGURED, STOPPED = 0, 1, 2, 130
WHEN_STOPPED = "stopped before its end; run it again"
# What ctrl-C and SIGTERM become, within a step of Dagster's and outside.
INTERRUPTS = {dg.DagsterExecutionInterruptedError.__name__, KeyboardInterrupt.__name__}
FAILURES = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RESOURCE_INIT_FAILURE}


@dataclass(frozen=True)
class Outcome:
    """How a night ended, one line per reason. `exit_code` as the command line returns it."""

    exit_code: int
    reasons: tuple[str, ...] = ()


@contextmanager
def told_when_refused(
    home: Home, config_file: Path, run_id: str, instance: dg.DagsterInstance | None
) -> Iterator[None]:
    """Tells of a night that cannot begin, or of the steps that have failed when the block ends.

    The reasons go to log/last_run.json, the whole story to log/last_error.txt.
    """
    started_at = dt.datetime.now(dt.UTC)
    try:
        yield
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        outcome = _outcome([(type(cause).__name__, str(cause) or type(cause).__name__)])
        _tell(home, config_file, outcome, started_at, ["".join(traceback.format_exception(error))])
        raise
    entries = instance.all_logs(run_id, of_type=FAILURES) if instance else []
    events = [entry.dagster_event for entry in entries if entry.dagster_event]
    if events:
        errors = [getattr(event.event_specific_data, "error", None) for event in events]
        story = [error.to_string() for error in errors if error is not None]
        _tell(home, config_file, outcome_of(events), started_at, story)


def outcome_of(events: Iterable[dg.DagsterEvent]) -> Outcome:
    """Of a failed run: what each of its steps, or its start, failed of."""
    return _outcome(list(_innermost_errors(events)))


def _outcome(errors: Sequence[tuple[str, str]]) -> Outcome:
    """A mistake of the configuration has its own code, also where only the night finds it."""
    kinds = {kind for kind, _ in errors}
    if kinds & INTERRUPTS or QUERY_STOPPED in {said for _, said in errors}:
        return Outcome(STOPPED, (WHEN_STOPPED,))
    is_misconfigured = ConfigurationError.__name__ in kinds
    return Outcome(
        MISCONFIGURED if is_misconfigured else REFUSED, tuple(said for _, said in errors)
    )


def _tell(
    home: Home, config_file: Path, outcome: Outcome, started_at: dt.datetime, story: Iterable[str]
) -> None:
    untold = tell_refused(config_file, outcome.reasons)
    for line in untold:
        PROGRESS.warning(line)
    last_run = LastRun(
        "refused",
        outcome.exit_code,
        started_at,
        dt.datetime.now(dt.UTC),
        messages=(*outcome.reasons, *untold),
    )
    write_last_run(home.root, last_run)
    (home.log / "last_error.txt").write_text("\n".join(story), encoding="utf-8")


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
