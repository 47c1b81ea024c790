"""What earlier nights said, from `scores/` alone: append only, and blind to later dates.

`scores/<as_of_date>/<run_id>/` holds what a night said; `scores/said.jsonl` the order of saying.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl


class SaidNight(NamedTuple):
    """A night that was said: its date and the run said last for it."""

    as_of_date: date
    run_id: str


class LostMemoryError(RuntimeError):
    """A night that was said cannot be read; the message names the folder or line and what to do."""


def scores_folder(home: Path) -> Path:
    """Where the nights of a data root lie."""
    return home / "scores"


def night_folder(home: Path, night: SaidNight) -> Path:
    """Where one night's tables lie."""
    return scores_folder(home) / night.as_of_date.isoformat() / night.run_id


def nights_before(home: Path, as_of_date: date) -> list[SaidNight]:
    """For each date before as_of_date the run said last, by date. Raises LostMemoryError."""
    last = {n.as_of_date: n for n in _read_said(home) if n.as_of_date < as_of_date}
    return [last[day] for day in sorted(last)]


def runs_said(home: Path, as_of_date: date) -> list[SaidNight]:
    """Every run that was said for a date, in the order of saying. Raises LostMemoryError."""
    return [night for night in _read_said(home) if night.as_of_date == as_of_date]


def previous_night(home: Path, as_of_date: date) -> SaidNight | None:
    """The last night said before as_of_date; None on the first. Raises LostMemoryError."""
    before = nights_before(home, as_of_date)
    return before[-1] if before else None


def memory_fingerprint(home: Path, as_of_date: date) -> str:
    """A hash of all a night of as_of_date may remember; part of its run_id."""
    spelled = "".join(f"{n.as_of_date} {n.run_id}\n" for n in nights_before(home, as_of_date))
    return hashlib.sha256(spelled.encode()).hexdigest()


def append_said(home: Path, as_of_date: date, run_id: str) -> None:
    """Notes that a run was said, unless it is already the one said last for its date.

    The whole file is written anew and renamed, so that a kill leaves the old or the new one.
    """
    said = _read_said(home)
    night = SaidNight(as_of_date, run_id)
    last = [n for n in said if n.as_of_date == as_of_date][-1:]
    if last == [night]:
        return
    lines = [_write_line(n) for n in [*said, night]]
    _write_and_rename(_said_file(home), "".join(lines).encode())


def read_said(home: Path, night: SaidNight, table: str) -> pl.DataFrame:
    """A table as said by an earlier night. Raises LostMemoryError."""
    return pl.read_parquet(_what_was_said(home, night, f"{table}.parquet"))


def keeps(home: Path, night: SaidNight, name: str) -> bool:
    """Whether an earlier night kept a file; nights of older versions kept fewer."""
    return (night_folder(home, night) / name).exists()


def read_document(home: Path, night: SaidNight, name: str) -> Any:
    """A JSON document that an earlier night kept. Raises LostMemoryError."""
    return json.loads(_what_was_said(home, night, name).read_text(encoding="utf-8"))


def recall(
    home: Path,
    night: SaidNight | None,
    table: str,
    schema: Mapping[str, pl.DataType],
    nothing: pl.DataFrame,
) -> pl.DataFrame:
    """A table of the last night in the columns of `schema`; `nothing` before the first night."""
    if night is None:
        return nothing
    said = read_said(home, night, table)
    # A night of an older version did not know every column.
    return said.select(
        (pl.col(name) if name in said.columns else pl.lit(None).alias(name)).cast(dtype)
        for name, dtype in schema.items()
    )


def recall_document(home: Path, night: SaidNight | None, name: str, nothing: Any) -> Any:
    """A document of the last night; nights of older versions did not keep it."""
    if night is None or not keeps(home, night, name):
        return nothing
    return read_document(home, night, name)


def lay_out(home: Path, nights: Sequence[SaidNight], place: Path) -> None:
    """Gives the data root `place` the memory of just these nights; their folders are links.

    Raises LostMemoryError.
    """
    for night in nights:
        folder = _what_was_said(home, night)
        link = night_folder(place, night)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folder.resolve(), target_is_directory=True)
    _write_and_rename(_said_file(place), "".join(map(_write_line, nights)).encode())


def write_night(
    home: Path,
    night: SaidNight,
    tables: Mapping[str, pl.DataFrame],
    documents: Mapping[str, str],
) -> bool:
    """Writes a night's tables and documents; False when the run is there already and left as it is.

    The folder is written under a temporary name and renamed. Rows are written as they are given:
    the same frames give the same bytes.
    """
    folder = night_folder(home, night)
    if folder.exists():
        return False
    partial = folder.parent / f".{night.run_id}.partial"
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    for name, frame in tables.items():
        _write_parquet(frame, partial / f"{name}.parquet")
    for name, text in documents.items():
        _write_synced(partial / name, text.encode())
    _sync_folder(partial)
    partial.rename(folder)
    _sync_folder(folder.parent)
    return True


def _what_was_said(home: Path, night: SaidNight, name: str = "") -> Path:
    """The folder of an earlier night, or a file in it. Raises LostMemoryError."""
    path = night_folder(home, night) / name
    if not path.exists():
        raise LostMemoryError(f"{path} was said and is not there: restore scores/ from the backup")
    return path


def _said_file(home: Path) -> Path:
    return scores_folder(home) / "said.jsonl"


def _read_said(home: Path) -> list[SaidNight]:
    path = _said_file(home)
    if not path.exists():
        return []
    nights = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            nights.append(SaidNight(date.fromisoformat(entry["as_of_date"]), entry["run_id"]))
        except (ValueError, KeyError, TypeError) as error:
            raise LostMemoryError(
                f"{path}, line {number} is not a night said: restore scores/ from the backup"
            ) from error
    return nights


def _write_line(night: SaidNight) -> str:
    return json.dumps({"as_of_date": str(night.as_of_date), "run_id": night.run_id}) + "\n"


def _write_parquet(frame: pl.DataFrame, path: Path) -> None:
    # Every setting that shapes the bytes is fixed here.
    frame.rechunk().write_parquet(
        path, compression="zstd", compression_level=3, statistics=True, row_group_size=100_000
    )
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _write_and_rename(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    _write_synced(partial, content)
    partial.rename(path)
    _sync_folder(path.parent)


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
