"""Runs that a kill left unfinished in Dagster's records, ended when the next night begins."""

from __future__ import annotations

import dagster as dg

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def end_dead_runs(instance: dg.DagsterInstance, alive: str | None = None) -> int:
    """End every unfinished night but the one that is `alive` and free its pool slot; how many.

    The caller holds the data root's lock, so no other night can be running.
    """
    runs = instance.get_runs(dg.RunsFilter(job_name="nightly", statuses=UNFINISHED))
    dead = [run for run in runs if run.run_id != alive]
    for run in dead:
        instance.report_run_failed(run, "The process ended before the night did.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return len(dead)
