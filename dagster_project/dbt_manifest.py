"""dbt's manifest: parsed in set-up, and again only when a file of the project is newer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "dbt"
MANIFEST = PROJECT / "target" / "manifest.json"
PARSED = PROJECT / "target" / "partial_parse.msgpack"  # the same as dbt keeps it for itself
SUFFIXES = {".sql", ".yml", ".md"}


def is_stale() -> bool:
    if not (MANIFEST.exists() and PARSED.exists()):
        return True
    made_at = MANIFEST.stat().st_mtime
    generated = {"target", "logs"}
    return any(
        path.stat().st_mtime > made_at
        for path in PROJECT.rglob("*")
        if path.suffix in SUFFIXES and not generated & set(path.relative_to(PROJECT).parts)
    )


def parse_if_stale() -> None:
    """Parse the project when it changed since; raises RuntimeError with dbt's own words."""
    if not is_stale():
        return
    dbt = Path(sys.executable).parent / "dbt"  # also when the environment is not activated
    done = subprocess.run(
        [str(dbt), "--quiet", "parse", "--project-dir", str(PROJECT)],
        env=os.environ
        | {
            "DBT_PROFILES_DIR": str(PROJECT),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"dbt cannot parse {PROJECT}:\n{done.stdout}{done.stderr}")
    MANIFEST.touch()


if __name__ == "__main__":
    parse_if_stale()
