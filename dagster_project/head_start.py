"""What a night needs later and can get ready while files land: a process beside it.

Great Expectations takes seconds to import; landing leaves a core idle.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class HeadStart:
    """The process; a step that needs it waits for it."""

    guards: ProcessPoolExecutor

    def guard(self, check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a check of Great Expectations where it is imported; raises what the check raises."""
        return self.guards.submit(check, *args, **kwargs).result()


@contextmanager
def head_start() -> Iterator[HeadStart]:
    """Start it now, and end it with the block."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawned, initializer=_import_great_expectations) as guards:
        guards.submit(os.getpid)  # a pool starts its process with the first call
        try:
            yield HeadStart(guards)
        finally:
            try:
                guards.shutdown()
            except BaseException:
                # Told to stop again while it is asked to end: Python would wait for ever for it.
                for process in multiprocessing.active_children():
                    process.terminate()
                raise


def _import_great_expectations() -> None:
    threading.Thread(target=_end_with_the_night, daemon=True).start()
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read by the import
    importlib.import_module("great_expectations")


def _end_with_the_night() -> None:
    """A night that is killed tells nobody: without this its process would stay for ever."""
    night = multiprocessing.parent_process()
    if night is not None:
        night.join()
        os._exit(1)
