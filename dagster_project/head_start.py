"""What a night needs later and can get ready while files land: two processes beside it.

Great Expectations takes seconds to import and dbt to parse; landing leaves a core idle.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import subprocess
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
    """The two processes; a step that needs one waits for it."""

    guards: ProcessPoolExecutor
    parse: subprocess.Popen[bytes] | None

    def guard(self, check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a check of Great Expectations where it is imported; raises what the check raises."""
        return self.guards.submit(check, *args, **kwargs).result()

    def wait_for_parse(self) -> None:
        """Return when dbt has parsed; a parse that failed is dbt's to tell when it builds."""
        if self.parse is not None:
            self.parse.wait()


@contextmanager
def head_start(parse_command: list[str], environment: dict[str, str]) -> Iterator[HeadStart]:
    """Start both now, and end both with the block; an empty command parses nothing."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawned, initializer=_import_great_expectations) as guards:
        guards.submit(os.getpid)  # a pool starts its process with the first call
        parse = None
        if parse_command:
            parse = subprocess.Popen(
                parse_command,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        try:
            yield HeadStart(guards, parse)
        finally:
            if parse is not None:
                parse.terminate()
                parse.wait()
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
