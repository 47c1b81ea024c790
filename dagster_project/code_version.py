"""The version of the code that made a night: the release, and a hash of what computes."""

from __future__ import annotations

import functools
import hashlib
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).parent.parent
COMPUTES = ("ingest", "dbt", "scoring", "exports", "dagster_project")
SUFFIXES = {".py", ".sql", ".yml", ".md", ".html", ".css", ".j2"}
LIBRARIES = ("duckdb", "polars", "scikit-learn")


@functools.cache
def code_version() -> str:
    """Such as `0.1.0+3f2a9c1d`: changes with any file that takes part in the result."""
    digest = hashlib.sha256()
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    for path in computing_files():
        digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes())
    return f"{version('customer-health')}+{digest.hexdigest()[:8]}"


def computing_files() -> list[Path]:
    generated = {"target", "logs", "__pycache__"}
    return sorted(
        path
        for folder in COMPUTES
        for path in (PROJECT / folder).rglob("*")
        if path.suffix in SUFFIXES and not generated & set(path.parts)
    )
