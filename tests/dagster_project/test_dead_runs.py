"""A night that was killed leaves nothing running in Dagster's records."""

from __future__ import annotations

import dagster as dg

from dagster_project.dead_runs import end_dead_runs


@dg.op(pool="night")
def sleep_well() -> None: ...


@dg.job
def nightly() -> None:
    sleep_well()


def test_unfinished_nights_are_ended_and_the_running_one_is_left_alone():
    with dg.DagsterInstance.ephemeral() as instance:
        killed, alive = (
            instance.create_run_for_job(nightly, status=dg.DagsterRunStatus.STARTED).run_id
            for _ in range(2)
        )
        finished = nightly.execute_in_process(instance=instance).run_id

        assert end_dead_runs(instance, alive=alive) == 1

        statuses = {run.run_id: run.status for run in instance.get_runs()}
    assert statuses == {
        killed: dg.DagsterRunStatus.FAILURE,
        alive: dg.DagsterRunStatus.STARTED,
        finished: dg.DagsterRunStatus.SUCCESS,
    }


def test_the_pool_slot_of_a_dead_run_is_free_again():
    with dg.DagsterInstance.ephemeral() as instance:
        killed = instance.create_run_for_job(nightly, status=dg.DagsterRunStatus.STARTED).run_id
        storage = instance.event_log_storage
        storage.set_concurrency_slots("night", 1)
        assert storage.claim_concurrency_slot("night", killed, "sleep_well").is_claimed

        end_dead_runs(instance)

        assert storage.claim_concurrency_slot("night", "next", "sleep_well").is_claimed
