"""Publishing a night: audit, one DuckDB file, one export folder, then the two links are swapped.

Readers see the night before or tonight, never half of one. What a kill leaves behind lies under
names that begin with `.unfinished-` and is removed when the next night starts.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from exports.audit import Finding, audit_tables, read_published, refuse_on_errors
from exports.config import Company, ExportsSection
from exports.copying import copy_export
from exports.crm_files import (
    DESCRIPTIONS,
    find_said_before,
    stage_crm_writeback,
    stage_warning_actions,
)
from exports.dashboard import write_dashboard
from exports.data_package import write_data_package, write_manifest
from exports.database import write_database
from exports.descriptions import read_descriptions
from exports.expectations import check_expectations
from exports.files import WrittenFile, describe_file, digest, write_csv
from exports.private_file import Night, find_relations, open_private, read_night
from exports.staging import StagedTable, stage_tables
from exports.tables import EXPORTS

UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class PublicationReport:
    """What was published: where, how much, and the audit's warnings (its errors refuse)."""

    run_id: str
    night: Night
    database: Path
    folder: Path
    row_counts: dict[str, int]
    files: tuple[WrittenFile, ...]
    warnings: tuple[Finding, ...] = ()
    copied_to: str | None = None
    copy_error: str | None = None
    dashboard: Path = field(default=Path())


def publish_night(
    build_file: Path,
    manifest_path: Path,
    home: Path,
    config: ExportsSection,
    company: Company,
    check: Callable[..., list[Finding]] = check_expectations,
) -> PublicationReport:
    """Audits the private file and publishes it under `home`.

    `check` gives the findings of the back door (Great Expectations). Raises AuditRefused, with one
    line a finding, before anything is written; then the night before stays. Running it again with
    the same night gives the same bytes.
    """
    published, exported = home / "published", home / "exports"
    remove_unfinished(home)
    with open_private(build_file) as connection:
        night = read_night(connection)
        findings, descriptions = (
            audit_night(connection, home, config, check),
            read_descriptions(manifest_path) | DESCRIPTIONS,
        )
        refuse_on_errors(findings)

        folder = exported / f"{UNFINISHED}{night.run_id}"
        unlisted = folder / "unlisted"
        relations = find_relations(connection)
        on_file = [export for export in EXPORTS if export.is_file]
        tables = stage_tables(connection, on_file, relations, night, folder)
        internal = stage_tables(
            connection,
            [export for export in EXPORTS if not export.is_file],
            relations,
            night,
            unlisted,
        )
        by_name = {table.export.name: table for table in tables}
        said_before = find_said_before(home / "scores", night)
        crm = [
            stage_crm_writeback(connection, by_name, said_before, night, unlisted),
            stage_warning_actions(connection, by_name, unlisted),
        ]
        csvs = [
            write_csv(connection, table, folder, night.as_of_date, config)
            for table in [*tables, *crm]
        ]

    database = published / f"{UNFINISHED}{night.run_id}.duckdb"
    published.mkdir(parents=True, exist_ok=True)
    write_database(database, [*tables, *internal], descriptions)
    page = write_dashboard(folder / "dashboard" / "index.html", database, company)
    shutil.rmtree(unlisted)
    files = [*csvs, *_describe_parquet(tables), describe_file(page, root=folder)]
    files.append(
        describe_file(
            write_data_package(
                folder, night, [*tables, *crm], csvs, descriptions, config.has_byte_order_mark
            )
        )
    )
    name = f"health-{night.run_id}.duckdb"
    described = describe_file(database)
    write_manifest(
        folder,
        night,
        files,
        WrittenFile(name, None, None, described.bytes, described.sha256),
    )

    install_file(database, published / name)
    install_folder(folder, exported / night.run_id)
    point_to(published / "current.duckdb", name)
    point_to(exported / "current", night.run_id)
    keep_newest(published, "health-*.duckdb", config.keep_published, published / name)
    keep_newest(exported, "*/manifest.json", config.keep_exports, exported / night.run_id)

    copied_to, copy_error = None, None
    if config.publish_to:
        try:
            copied_to = copy_export(exported / night.run_id, config.publish_to)
        except Exception as error:  # the night is published; a far store must not undo that
            copy_error = f"not copied to {config.publish_to}: {error}"
    return PublicationReport(
        run_id=night.run_id,
        night=night,
        database=published / name,
        folder=exported / night.run_id,
        row_counts={table.export.name: table.row_count for table in [*tables, *internal]},
        files=tuple(files),
        warnings=tuple(findings),
        copied_to=copied_to,
        copy_error=copy_error,
        dashboard=exported / night.run_id / "dashboard" / "index.html",
    )


def audit_night(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    config: ExportsSection,
    check: Callable[..., list[Finding]] = check_expectations,
) -> list[Finding]:
    """Every finding over the attached private file; the back door is asked when the rest is sound."""
    night = read_night(connection)
    relations = find_relations(connection)
    findings = audit_tables(
        connection,
        EXPORTS,
        relations,
        night,
        read_published(home / "published" / "current.duckdb"),
        config.max_row_loss_share,
    )
    if all(finding.severity != "error" for finding in findings):
        findings += check(connection, relations)
    return findings


def remove_unfinished(home: Path) -> None:
    """Removes what a killed publication left behind."""
    for folder in (home / "published", home / "exports"):
        for leftover in sorted(folder.glob(f"{UNFINISHED}*")):
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            else:
                leftover.unlink()


def install_file(finished: Path, target: Path) -> None:
    """Moves a finished file to its name, read-only; the same bytes are left where they are."""
    if target.is_file() and digest(target) == digest(finished):
        finished.unlink()
        os.utime(target)  # published again: newest of those kept
        return
    finished.chmod(0o444)
    finished.replace(target)


def install_folder(finished: Path, target: Path) -> None:
    """Moves a finished export folder to its name.

    Where the same night stands already, only files that differ are replaced, the manifest last.
    """
    if not target.exists():
        finished.replace(target)
        return
    new = sorted(path.relative_to(finished) for path in finished.rglob("*") if path.is_file())
    for name in sorted(new, key=lambda name: name == Path("manifest.json")):
        there = target / name
        if there.is_file() and digest(there) == digest(finished / name):
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        (finished / name).replace(there)
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(target) not in new:
            path.unlink()
    shutil.rmtree(finished)
    os.utime(target / "manifest.json")


def point_to(link: Path, target: str) -> None:
    """Points the symlink to its new target in one step."""
    new = link.parent / f"{UNFINISHED}{link.name}"
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def keep_newest(folder: Path, pattern: str, keep: int, current: Path) -> None:
    """Removes all but the `keep` published last; never the current one.

    A pattern that names a file inside (`*/manifest.json`) keeps and removes whole folders.
    """
    is_inside = "/" in pattern
    found = [
        (path.stat().st_mtime_ns, path.parent if is_inside else path)
        for path in folder.glob(pattern)
        if not (path.parent if is_inside else path).is_symlink()
    ]
    others = sorted((entry for entry in found if entry[1] != current), reverse=True)
    for _, path in others[keep - 1 :]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _describe_parquet(tables: list[StagedTable]) -> list[WrittenFile]:
    return [
        describe_file(table.path, table.export.name, table.row_count) for table in tables
    ]
