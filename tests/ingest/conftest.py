"""A company folder in which tests drop files, run nights and look at what landed."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.config import Company, SourcesConfig
from ingest.landing import land_entity
from ingest.ledger import Ledger
from ingest.raw_relations import Night, open_raw
from ingest.reports import LandingReport

NOW = datetime(2024, 6, 1, tzinfo=UTC)


class FrontDoor:
    """One company: `drop` files, run `night`s, look at `rows` of schema raw."""

    def __init__(self, folder: Path) -> None:
        self.inbox = folder / "inbox"
        self.home = folder / "var"
        self.inbox.mkdir(parents=True)
        self.company = Company(zone="UTC", currency="EUR", started_on=date(2010, 1, 1))
        self.sources: dict[str, Any] = {}
        self.source()

    def source(self, name: str = "crm", **changes: Any) -> None:
        """Sets a source; entities map every column by its own name unless `entities` says more."""
        entities = changes.pop("entities", {"customers": {"files": "customers*"}})
        self.sources[name] = {
            "format": "csv",
            "location": str(self.inbox),
            "entities": entities,
            **changes,
        }

    @property
    def config(self) -> SourcesConfig:
        return SourcesConfig.model_validate(self.sources)

    def drop(self, name: str, content: str | bytes) -> Path:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        # Two drops within a clock tick are still two files.
        os.utime(path, ns=(path.stat().st_atime_ns, self._tick()))
        return path

    def _tick(self) -> int:
        self._ticks = getattr(self, "_ticks", 1_700_000_000_000_000_000) + 1_000_000_000
        return self._ticks

    def night(self, day: str = "2024-05-31", entity: str = "customers") -> LandingReport:
        return land_entity(
            entity, self.config, self.home, date.fromisoformat(day), self.company, NOW
        )

    def nights(self, day: str = "2024-05-31") -> dict[str, LandingReport]:
        return {entity: self.night(day, entity) for entity in self.config.entities()}

    def raw(self, day: str = "2024-05-31") -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        as_of = date.fromisoformat(day)
        night = Night(as_of, self.company.end_of(as_of), "run", None, "code", "rules", "input")
        open_raw(connection, self.home, night, self.company)
        return connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.raw() as connection:
            return connection.execute(query).fetchall()

    def quarantine(self, entity: str = "customers") -> list[tuple[Any, ...]]:
        """(line, column, reason) of every refused row of an entity."""
        files = sorted((self.home / "quarantine" / entity).glob("*.parquet"))
        with duckdb.connect() as connection:
            return [
                row
                for file in files
                for row in connection.execute(
                    'select line, "column", reason from read_parquet(?) order by line', [str(file)]
                ).fetchall()
            ]

    def ledger(self) -> Ledger:
        return Ledger(self.home)


@pytest.fixture
def door(tmp_path: Path) -> FrontDoor:
    return FrontDoor(tmp_path)


@pytest.fixture
def new_door(tmp_path: Path) -> Callable[[str], FrontDoor]:
    return lambda name: FrontDoor(tmp_path / name)
