"""`customer-health as-of`: a past night again, from exactly what it had read."""

from __future__ import annotations

import datetime as dt
import filecmp
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from dagster_project.code_version import code_version
from dagster_project.config import Configuration, ConfigurationError, load
from dagster_project.definitions import REBUILT
from dagster_project.endings import Outcome
from dagster_project.home import Home
from dagster_project.inputs import CONFIGURATION, Inputs, lay_out, read_inputs, telling_what_is_lost
from dagster_project.night import Night, company_of
from dagster_project.nightly import run_night
from dagster_project.summary import read_last_run
from dagster_project.terminal import OUT
from ingest.landed import find_landed, first_known, narrow_to_known
from scoring.memory import SaidNight, night_folder, runs_said


@dataclass(frozen=True)
class PastNight:
    """What a night is rebuilt from; `said` is None for a night that is rebuilt cold."""

    date: dt.date
    said: SaidNight | None
    inputs: Inputs
    configuration: Configuration


@dataclass(frozen=True)
class Rebuilt:
    """How it went; `differing`: score tables that are not what was said, None for a cold night."""

    outcome: Outcome
    night: PastNight
    place: Home
    differing: tuple[str, ...] | None


def check_empty(out: Path, home: Home) -> None:
    """Raises ConfigurationError unless `out` can be made or is an empty folder outside `home`."""
    out = out.resolve()
    if out == home.root or home.root in out.parents:
        raise ConfigurationError(f"{out}: lies in the data root; name a folder outside of it")
    if out.exists() and not out.is_dir():
        raise ConfigurationError(f"{out}: is a file; name a new folder")
    if out.exists() and any(out.iterdir()):
        raise ConfigurationError(f"{out}: is not empty; name a new folder")


def find_night(home: Home, date: dt.date, run_id: str, config_file: Path) -> PastNight:
    """The run said last for a date, or the one named; else the night as it can be rebuilt cold.

    `config_file` is only read for a cold one. Raises ConfigurationError.
    """
    with telling_what_is_lost():
        said = runs_said(home.root, date)
        if run_id and run_id not in {night.run_id for night in said}:
            runs = ", ".join(dict.fromkeys(night.run_id for night in said)) or "none"
            raise ConfigurationError(f"no run {run_id} was said for {date}; said: {runs}")
        if said:
            night = SaidNight(date, run_id or said[-1].run_id)
            inputs = read_inputs(home, night)
            if inputs is not None:
                kept = night_folder(home.root, night) / CONFIGURATION
                return PastNight(date, night, inputs, load(kept, is_kept=True))
    return _cold_night(home, date, load(config_file))


def rebuild(home: Home, night: PastNight, out: Path) -> Rebuilt:
    """Run the night again under `out`: published file, exports, page and log stay there.

    Nothing is written into `home`. Raises ConfigurationError where what it had read is gone.
    """
    place = Home(out.resolve())
    place.root.mkdir(parents=True, exist_ok=True)
    try:
        with telling_what_is_lost():
            config_file = lay_out(home, night.inputs, night.configuration, place)
        outcome = run_night(
            Night(
                config_file=str(config_file),
                home_folder=str(place.root),
                as_of=night.date.isoformat(),
                is_rebuilt=True,
                is_reconstructed=night.said is None,
            ),
            REBUILT,
        )
        differing = None
        if night.said and not outcome.exit_code:
            again = SaidNight(night.date, str(read_last_run(place)["run_id"]))
            differing = _differing_tables(
                night_folder(home.root, night.said), night_folder(place.root, again)
            )
    finally:
        _leave_what_is_published(place)
    return Rebuilt(outcome, night, place, differing)


def print_rebuilt(rebuilt: Rebuilt, as_json: bool) -> None:
    """The night's summary, and how it compares with what was said."""
    last_run = read_last_run(rebuilt.place)
    said = rebuilt.night.said
    if as_json:
        report = {
            "said_run_id": said.run_id if said else None,
            "said_by_code": rebuilt.night.inputs.code_version if said else None,
            "code_version": code_version(),
            "is_reconstructed": said is None,
            "differing_score_tables": rebuilt.differing,
        }
        OUT.print_json(json.dumps(last_run | report))
        return
    for line in [*last_run["messages"], *_compared(rebuilt)]:
        OUT.print(line, markup=False)


def _compared(rebuilt: Rebuilt) -> list[str]:
    said, said_by = rebuilt.night.said, rebuilt.night.inputs.code_version
    if said is None:
        return [f"no run of {rebuilt.night.date} kept what it read: rebuilt from what was known"]
    lines = []
    if said_by != code_version():
        lines.append(f"run {said.run_id} was said by code {said_by}, this is {code_version()}")
    if rebuilt.differing:
        lines.append(f"not as run {said.run_id} said it: {', '.join(rebuilt.differing)}")
    else:
        lines.append(f"every score table is what run {said.run_id} said, byte for byte")
    return lines


def _cold_night(home: Home, date: dt.date, configuration: Configuration) -> PastNight:
    """A night that was never run, or by a version that kept no list of what it read."""
    landed, company = find_landed(home.root), company_of(configuration)
    if not landed.batches:
        raise ConfigurationError(
            f"{home.root / 'landing'}: nothing has landed yet; run `customer-health nightly`"
        )
    days = [day for entry in landed.batches for day in (entry.admitted_on, entry.delivered_on)]
    last = max(day for day in days if day)
    if date > last:
        raise ConfigurationError(
            f"{date} is after the last landing ({last}); "
            f"run `customer-health nightly --as-of {date}`"
        )
    known = narrow_to_known(home.root, landed, date, company.end_of(date))
    if not known.batches:
        first = first_known(home.root, landed)
        since = f"the first on {first.astimezone(ZoneInfo(company.zone)):%Y-%m-%d}" if first else ""
        raise ConfigurationError(f"{date}: no landed row was known then; {since}")
    return PastNight(date, None, Inputs(code_version(), known), configuration)


def _differing_tables(said: Path, rebuilt: Path) -> tuple[str, ...]:
    names = sorted(path.name for path in said.glob("*.parquet"))
    same, _, _ = filecmp.cmpfiles(said, rebuilt, names, shallow=False)
    return tuple(Path(name).stem for name in names if name not in same)


def _leave_what_is_published(place: Home) -> None:
    for folder in (place.root / "landing", place.scores, place.build, place.cache):
        shutil.rmtree(folder, ignore_errors=True)
    (place.root / "night.lock").unlink(missing_ok=True)
