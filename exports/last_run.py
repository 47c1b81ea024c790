"""`log/last_run.json` for monitoring: the only place where wall-clock facts stand."""

import datetime as dt
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class LastRun:
    """How the last night ended. Moments in UTC; `exit_code` as the command line returns it."""

    outcome: Literal["published", "refused", "failed"]
    exit_code: int
    started_at: dt.datetime
    finished_at: dt.datetime
    as_of_date: dt.date | None = None
    run_id: str | None = None
    messages: tuple[str, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)


def write_last_run(home: Path, last_run: LastRun) -> Path:
    """Writes `<home>/log/last_run.json` whole, in one step, and returns its path."""
    content: dict[str, Any] = asdict(last_run)
    content["seconds"] = round((last_run.finished_at - last_run.started_at).total_seconds(), 1)
    path = home / "log" / "last_run.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(".unfinished-last_run.json")
    unfinished.write_text(
        json.dumps(content, indent=2, ensure_ascii=False, default=_as_text) + "\n",
        encoding="utf-8",
    )
    unfinished.replace(path)
    return path


def _as_text(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)
