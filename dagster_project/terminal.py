"""What a person sees: progress on a terminal, plain lines elsewhere."""

from __future__ import annotations

import datetime as dt
import json
import logging
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console

PROGRESS = logging.getLogger("customer_health.progress")


class Terminal(Console):
    """A console whose reader may leave, as `| head` does: what was begun goes on unseen."""

    def on_broken_pipe(self) -> None:
        # Python flushes the stream once more when it ends.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.file.fileno())
        self.quiet = True


# What goes into a file or a pipe has no width to fit into.
OUT = Terminal(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 10_000)
ERRORS = Terminal(stderr=True, highlight=False, soft_wrap=True)


class _Lines(logging.Handler):
    """One line a step; on a terminal the running step is a spinner until the next begins."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console
        self.started = time.monotonic()
        self.status = console.status("starting") if console.is_terminal else None
        if self.status:
            self.status.start()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if getattr(record, "is_running", False) and self.status:
            self.status.update(message)
        elif not getattr(record, "is_running", False):
            seconds = time.monotonic() - self.started
            self.console.print(f"{seconds:6.1f} s  {message}", markup=False)

    def close(self) -> None:
        if self.status:
            self.status.stop()
        super().close()


@contextmanager
def progress_on(logger: logging.Logger, is_aside: bool = False) -> Iterator[None]:
    """Show what the logger says while the block runs; `is_aside`: on stderr, beside the answer."""
    # The console is bound to the real stream now: libraries' prints are redirected later.
    stream = ERRORS.file if is_aside else OUT.file
    handler = _Lines(Terminal(file=stream, highlight=False, soft_wrap=True))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def print_json(content: Any) -> None:
    """What `--json` asks for: numbers as numbers, moments in UTC with Z, the unknown as null."""
    OUT.print_json(json.dumps(_as_json(content), ensure_ascii=False))


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_as_json(item) for item in value]
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dt.datetime) and value.tzinfo:
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return value if isinstance(value, str | int | float | None) else str(value)
