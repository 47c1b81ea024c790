import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait

import pytest

from dagster_project.head_start import head_start


def test_its_process_is_ended_not_asked_to_end_when_a_night_is_told_twice_to_stop(monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ProcessPoolExecutor, "shutdown", interrupted)
    # What was raised keeps the pool alive, as in a night: a pool let go of asks its process to end.
    with pytest.raises(KeyboardInterrupt) as told, head_start():
        (process,) = multiprocessing.active_children()
    # Its exit code is no measure: the pool's own thread waits for it too, and one of two learns it.
    assert wait([process.sentinel], timeout=60), f"the process runs on after {told.type}"
