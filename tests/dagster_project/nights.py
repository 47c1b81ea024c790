"""Whole nights as a user runs them, and what they leave."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

COMMAND = str(Path(sys.executable).parent / "customer-health")
# Of the first night's company the customer with two thirds of the points in onboarding and in
# breadth and depth, and all points in everything else.
CONTENT = "C000020"
# Nights take long: two workers share them, and a shared night is run by whichever comes first.
repeated = pytest.mark.xdist_group("nights repeated")
disturbed = pytest.mark.xdist_group("nights disturbed")


def night(company: Path, home: Path, *more: str, prefix: tuple[str, ...] = ()) -> str:
    """Run a night that must be published; returns what it printed."""
    return run(*prefix, *command(company, home), *more)


def run(*words: str) -> str:
    """Run a command that must succeed; returns what it printed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def command(company: Path, home: Path) -> list[str]:
    config = str(company / "customer_health.yml")
    return [COMMAND, "nightly", "--config", config, "--home", str(home)]


def ask(home: Path, sql: str) -> list[tuple]:
    with duckdb.connect(home / "published" / "current.duckdb", read_only=True) as connection:
        return connection.execute(sql).fetchall()


def published_bytes(home: Path) -> dict[str, str]:
    """sha256 of every published file by its name under the export folder, and of the database."""
    database = (home / "published" / "current.duckdb").resolve()
    return exported_bytes(home) | {database.name: sha256(database)}


def exported_bytes(home: Path) -> dict[str, str]:
    """The same without the database, which another data root may write with other gaps."""
    exports = (home / "exports" / "current").resolve()
    return {
        str(path.relative_to(exports)): sha256(path)
        for path in sorted(exports.rglob("*"))
        if path.suffix in {".csv", ".parquet", ".html"}
    }


def tree(folder: Path) -> dict[str, str]:
    """Everything under a folder: sha256 of files, targets of links, by path."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else sha256(path)
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
