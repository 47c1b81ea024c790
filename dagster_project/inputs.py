"""What a night read: kept with what it said, and laid out again to rebuild the night from it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.code_version import code_version
from dagster_project.config import Configuration, ConfigurationError
from dagster_project.home import Home
from ingest.landed import Landed, LostBatchError, find_landed, read_landed
from ingest.landed import lay_out as lay_out_landing
from ingest.reports import Alarm
from scoring.memory import LostMemoryError, SaidNight, keeps, nights_before, read_document
from scoring.memory import lay_out as lay_out_memory

INPUTS = "inputs.json"
CONFIGURATION = "configuration.json"


@dataclass(frozen=True)
class Inputs:
    """What was landed, what the door had to say, and the earlier nights that were remembered."""

    code_version: str
    landed: Landed
    alarms: tuple[Alarm, ...] = ()
    memory: tuple[SaidNight, ...] = ()

    def as_document(self) -> dict[str, Any]:
        return {
            "code_version": self.code_version,
            "landed": self.landed.as_document(),
            "alarms": [dataclasses.asdict(alarm) for alarm in self.alarms],
            "memory": [night._asdict() for night in self.memory],
        }


@contextmanager
def telling_what_is_lost() -> Iterator[None]:
    """What a backup must bring back is one line and no traceback, as a mistake of a user's."""
    try:
        yield
    except (LostBatchError, LostMemoryError) as error:
        raise ConfigurationError(str(error)) from None


def note_inputs(home: Home, date: dt.date) -> None:
    """Note beside the private file what tonight reads."""
    inputs = Inputs(
        code_version(),
        find_landed(home.root),
        tuple(read_alarms(home)),
        tuple(nights_before(home.root, date)),
    )
    _write(home.build / INPUTS, inputs.as_document())


def read_noted(home: Home) -> Any:
    """The document of tonight's inputs."""
    return json.loads((home.build / INPUTS).read_text(encoding="utf-8"))


def read_inputs(home: Home, night: SaidNight) -> Inputs | None:
    """What a night had read; None for nights of older versions, which did not keep it.

    Raises LostBatchError and LostMemoryError.
    """
    if not keeps(home.root, night, INPUTS):
        return None
    document = read_document(home.root, night, INPUTS)
    return Inputs(
        document["code_version"],
        read_landed(home.root, document["landed"]),
        tuple(Alarm(**alarm) for alarm in document["alarms"]),
        tuple(
            SaidNight(dt.date.fromisoformat(said["as_of_date"]), said["run_id"])
            for said in document["memory"]
        ),
    )


def lay_out(home: Home, inputs: Inputs, configuration: Configuration, place: Home) -> Path:
    """Make of `place` a data root that holds just this, by links; returns its configuration.

    A night that runs there sees what the night saw that read it, and writes nothing into `home`.
    """
    lay_out_landing(home.root, inputs.landed, place.root)
    lay_out_memory(home.root, inputs.memory, place.root)
    write_alarms(place, inputs.alarms)
    file = place.build / CONFIGURATION
    _write(file, configuration.as_kept())
    return file


def write_alarms(home: Home, alarms: Iterable[Alarm]) -> None:
    """Hand tonight's alarms of the door to the step that opens the private file."""
    home.build.mkdir(parents=True, exist_ok=True)
    _write(home.build / "alarms.json", [dataclasses.asdict(alarm) for alarm in alarms])


def read_alarms(home: Home) -> list[Alarm]:
    path = home.build / "alarms.json"
    return [Alarm(**alarm) for alarm in json.loads(path.read_text(encoding="utf-8"))]


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, default=str, indent=1) + "\n", encoding="utf-8")
