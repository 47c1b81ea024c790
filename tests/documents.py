"""The generated pages of docs/: `python -m tests.documents` writes them, a test compares them."""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
from pathlib import Path

import duckdb

from dagster_project.warehouse import CONTRACT_TABLES, SCORE_TABLES
from exports.descriptions import read_descriptions
from exports.dictionary import Definition, metrics_page, tables_page
from exports.private_file import find_relations, read_night
from exports.staging import stage_tables
from exports.tables import EXPORTS
from ingest.documentation import inputs_page
from scoring.config import load_rules
from scoring.night import score_night
from tests.warehouse import PROJECT, compiled_manifest, compiled_project, run_compiled, run_models

NIGHT = dt.date(2024, 6, 30)


def generated_pages(folder: Path) -> dict[Path, str]:
    """What each generated page is to be; `folder` is for work."""
    connection = run_empty_night(folder)
    tables = stage_tables(
        connection, EXPORTS, find_relations(connection), read_night(connection), folder / "tables"
    )
    descriptions = read_descriptions(compiled_project() / "manifest.json")
    manifest = compiled_manifest()
    said = {text for each in descriptions.values() for text in (each.text, *each.columns.values())}
    blocks = {doc["name"]: doc["block_contents"].strip() for doc in manifest["docs"].values()}
    words = {name: text for name, text in sorted(blocks.items()) if text in said}
    rows = connection.execute(
        "select metric, formula, owner, stands_in from metric_definitions"
    ).fetchall()
    layer = {
        metric["name"]: metric["description"] for _, metric in sorted(manifest["metrics"].items())
    }
    docs = PROJECT / "docs"
    return {
        docs / "inputs.md": inputs_page(),
        docs / "tables.md": tables_page(tables, descriptions, words),
        docs / "metrics.md": metrics_page([Definition(*row) for row in rows], layer, tables, words),
    }


def run_empty_night(folder: Path) -> duckdb.DuckDBPyConnection:
    """Every published table of a company without any data: no rows, but all columns and types."""
    models = {
        node["name"]: node["path"].startswith("reports")
        for node in compiled_manifest()["nodes"].values()
        if node["resource_type"] == "model"
    }
    published = [export.name for export in EXPORTS if export.name in models]
    facts = [name for name in (*published, *CONTRACT_TABLES) if not models[name]]
    connection = run_models({}, NIGHT, facts)
    contract = folder / "contract"
    contract.mkdir(parents=True)
    for name in CONTRACT_TABLES:
        connection.execute(f"copy contract.{name} to '{contract}/{name}.parquet'")
    connection.execute(f"copy raw.night to '{contract}/night.parquet'")
    report = score_night(contract, folder, load_rules(), NIGHT, "test-run")
    for name in SCORE_TABLES:
        connection.execute(
            f"create view scores.{name} as from read_parquet('{report.folder}/{name}.parquet')"
        )
    run_compiled(connection, [name for name in published if models[name]])
    return connection


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        for page, text in generated_pages(Path(work)).items():
            page.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {page}\n")
