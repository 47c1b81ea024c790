"""Publishing a night: audit, one DuckDB file, one export folder, then the two links are swapped.

Readers see the night before or tonight, never half of one; a kill is cured by running again.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from exports.audit import Finding, audit_tables, read_published, refuse_on_errors
from exports.config import Company, ExportsConfig
from exports.copying import CopyFailed, copy_export
from exports.crm_files import (
    CRM_WRITEBACK,
    DESCRIPTIONS,
    find_said_before,
    stage_crm_writeback,
    stage_warning_actions,
)
from exports.dashboard import write_dashboard
from exports.data_package import write_data_package, write_manifest
from exports.database import holds_the_same, write_database
from exports.descriptions import Description, read_descriptions
from exports.expectations import check_expectations
from exports.files import WrittenFile, describe_file, write_csv
from exports.installation import (
    UNFINISHED,
    install_file,
    install_folder,
    keep_newest_files,
    keep_newest_folders,
    point_to,
    remove_unfinished,
)
from exports.private_file import Night, Relation, find_relations, open_private, read_night
from exports.staging import StagedTable, stage_tables
from exports.tables import EXPORTS

Check = Callable[[duckdb.DuckDBPyConnection, dict[str, Relation]], list[Finding]]


@dataclass(frozen=True)
class PublicationReport:
    """What was published: where, how much, and the audit's warnings (its errors refuse).

    `row_counts` by table; `copy_error` is one line when `publish_to` did not take the copy.
    """

    night: Night
    database: Path
    folder: Path
    dashboard: Path
    row_counts: dict[str, int]
    files: tuple[WrittenFile, ...]
    warnings: tuple[Finding, ...]
    copied_to: str | None = None
    copy_error: str | None = None


@dataclass(frozen=True)
class _Staged:
    """Tonight's tables as Parquet: with files for BI, for the published file only, for the CRM."""

    night: Night
    tables: list[StagedTable]
    internal: list[StagedTable]
    crm: list[StagedTable]
    csvs: list[WrittenFile]


def publish_night(
    build_file: Path,
    manifest_path: Path,
    home: Path,
    config: ExportsConfig,
    company: Company,
    *,
    check: Check = check_expectations,
) -> PublicationReport:
    """Audits the private file and publishes it under `home`.

    `manifest_path` is dbt's manifest; `check` gives the findings of the back door. Raises
    AuditRefused, one line a finding, before anything is written: the night before stays. The same
    night again gives the same bytes.
    """
    published, exported = home / "published", home / "exports"
    for place in (published, exported):
        place.mkdir(parents=True, exist_ok=True)
        remove_unfinished(place)

    with open_private(build_file) as connection:
        findings = audit_night(connection, home, config, check=check)
        refuse_on_errors(findings)
        folder = exported / f"{UNFINISHED}{read_night(connection).run_id}"
        staged = _stage(connection, home, folder, config)
    descriptions = read_descriptions(manifest_path) | DESCRIPTIONS
    run_id = staged.night.run_id
    database = published / f"{UNFINISHED}{run_id}.duckdb"
    write_database(database, [*staged.tables, *staged.internal], descriptions)
    finished = published / f"health-{run_id}.duckdb"
    if finished.is_file() and holds_the_same(finished, database):
        shutil.copyfile(finished, database)  # the same night has the same bytes
    files = _complete_folder(folder, database, staged, descriptions, config=config, company=company)

    install_file(database, finished)
    install_folder(folder, exported / run_id)
    point_to(published / "current.duckdb", finished.name)
    point_to(exported / "current", run_id)
    keep_newest_files(published, "health-*.duckdb", config.keep_published, finished)
    keep_newest_folders(exported, config.keep_exports, exported / run_id)

    copied_to, copy_error = None, None
    if config.publish_to:
        try:
            copied_to = copy_export(exported / run_id, config.publish_to)
        except CopyFailed as error:  # the night is published; a far store must not undo that
            copy_error = str(error)
    return PublicationReport(
        night=staged.night,
        database=finished,
        folder=exported / run_id,
        dashboard=exported / run_id / "dashboard" / "index.html",
        row_counts={
            table.export.name: table.row_count for table in [*staged.tables, *staged.internal]
        },
        files=tuple(files),
        warnings=tuple(findings),
        copied_to=copied_to,
        copy_error=copy_error,
    )


def audit_night(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    config: ExportsConfig,
    *,
    check: Check = check_expectations,
) -> list[Finding]:
    """Every finding over the private file; the back door is asked when the rest is sound."""
    relations = find_relations(connection)
    findings = audit_tables(
        connection,
        EXPORTS,
        relations,
        read_night(connection),
        published=read_published(home / "published" / "current.duckdb"),
        max_row_loss_share=config.max_row_loss_share,
    )
    if all(finding.severity != "error" for finding in findings):
        findings += check(connection, relations)
    return findings


def _stage(
    connection: duckdb.DuckDBPyConnection, home: Path, folder: Path, config: ExportsConfig
) -> _Staged:
    """Writes Parquet and CSV into the unfinished folder; what is not listed lies in `unlisted`."""
    night, relations = read_night(connection), find_relations(connection)
    unlisted = folder / "unlisted"
    on_file = [export for export in EXPORTS if export.is_file]
    off_file = [export for export in EXPORTS if not export.is_file]
    tables = stage_tables(connection, on_file, relations, night, folder)
    internal = stage_tables(connection, off_file, relations, night, unlisted)
    by_name = {table.export.name: table for table in tables}
    said_before = find_said_before(home / "scores", night.as_of_date)
    crm = [
        stage_crm_writeback(connection, by_name, said_before, night.as_of_date, unlisted),
        stage_warning_actions(connection, by_name, unlisted),
    ]
    csvs = [
        write_csv(connection, table, folder, night.as_of_date, config) for table in [*tables, *crm]
    ]
    return _Staged(night, tables, internal, crm, csvs)


def _complete_folder(
    folder: Path,
    database: Path,
    staged: _Staged,
    descriptions: dict[str, Description],
    *,
    config: ExportsConfig,
    company: Company,
) -> list[WrittenFile]:
    """Adds page, data package and, last, the manifest; returns what the manifest lists."""
    said_changes = next(table.path for table in staged.crm if table.export is CRM_WRITEBACK)
    page = write_dashboard(folder / "dashboard" / "index.html", database, company, said_changes)
    shutil.rmtree(folder / "unlisted")
    package = write_data_package(
        folder,
        staged.night,
        tables=[*staged.tables, *staged.crm],
        files=staged.csvs,
        descriptions=descriptions,
        config=config,
    )
    files = [
        *staged.csvs,
        *(
            describe_file(table.path, table=table.export.name, rows=table.row_count)
            for table in staged.tables
        ),
        describe_file(page, root=folder),
        describe_file(package),
    ]
    name = f"health-{staged.night.run_id}.duckdb"
    write_manifest(folder, staged.night, files, describe_file(database, name=name))
    return files
