"""Where things lie under the data root, and the lock that lets one night run at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from dagster_project.config import ConfigurationError


class NightRunning(Exception):
    """Another night holds the data root."""


@dataclass(frozen=True)
class Home:
    """The data root. `landing` and `scores` cannot be rebuilt; all else can be deleted."""

    root: Path

    @property
    def build(self) -> Path:
        """Private files of the running night."""
        return self.root / "build"

    @property
    def build_file(self) -> Path:
        return self.build / "night.duckdb"

    @property
    def contract(self) -> Path:
        """Parquet that scoring reads."""
        return self.build / "contract"

    @property
    def scores(self) -> Path:
        return self.root / "scores"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def published_file(self) -> Path:
        return self.root / "published" / "current.duckdb"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def dagster(self) -> Path:
        """Dagster's own records of runs."""
        return self.log / "dagster"


@contextmanager
def one_night_at_a_time(home: Home) -> Iterator[None]:
    """Hold the data root; raises NightRunning at once when another process does."""
    try:
        home.root.mkdir(parents=True, exist_ok=True)
        (home.root / "night.lock").touch()
    except OSError as error:
        raise ConfigurationError(
            f"{home.root}: cannot be the data root: {error.strerror}; "
            "name a folder that can be written with --home"
        ) from None
    lock = FileLock(home.root / "night.lock", timeout=0, thread_local=False, is_singleton=True)
    try:
        lock.acquire()
    except Timeout:
        raise NightRunning(
            f"another night is running on {home.root}; wait for it, or look with "
            "`customer-health status`"
        ) from None
    try:
        yield
    finally:
        lock.release()
