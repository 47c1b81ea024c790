"""The parts agree with each other: contracts, models, rules, exports, settings, README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from dagster_project.command_line import app
from dagster_project.settings import Definitions, RecordField, dbt_vars
from dagster_project.warehouse import SCORE_TABLES
from exports.tables import AREAS, EXPORTS
from ingest.contracts import ENTITIES
from scoring.config import Rules
from tests.documents import generated_pages
from tests.warehouse import DBT, PROJECT, compiled_manifest

README = (PROJECT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def models() -> dict[str, dict]:
    nodes = compiled_manifest()["nodes"].values()
    return {node["name"]: node for node in nodes if node["resource_type"] == "model"}


@pytest.fixture(scope="module")
def published() -> dict[str, dict]:
    """Models, and tables of scoring that are published as they are."""
    manifest = compiled_manifest()
    tables = [*manifest["sources"].values(), *manifest["nodes"].values()]
    return {
        table["name"]: table
        for table in tables
        if table["resource_type"] == "model" or table.get("source_name") == "scores"
    }


@pytest.fixture(scope="module")
def keyed_models() -> set[str]:
    tests = [
        node
        for node in compiled_manifest()["nodes"].values()
        if node["resource_type"] == "test"
        and (node.get("test_metadata") or {}).get("name")
        in {"unique", "unique_combination", "unique_combination_with_nulls"}
    ]
    return {parent.split(".")[-1] for test in tests for parent in test["depends_on"]["nodes"]}


def test_every_entity_has_a_staging_model_with_the_columns_of_its_contract(models):
    for entity in ENTITIES.values():
        staging = models[f"stg_{entity.system}__{entity.name}"]
        assert set(entity.column_names) <= set(staging["columns"]), entity.name


def test_every_model_is_described_and_begins_with_its_grain(models):
    undescribed = [
        name
        for name, model in models.items()
        if not re.match(r"(One|A) row (per|:)|One row", model["description"])
    ]
    assert undescribed == []


def test_every_mart_and_contract_table_has_its_grain_tested(models, keyed_models):
    public = {
        name
        for name, model in models.items()
        if model["path"].startswith(("marts", "contract", "reports"))
        and model["config"]["materialized"] != "ephemeral"
    }
    assert public - keyed_models == set()


def test_every_column_of_a_published_table_is_described(published):
    missing = [
        f"{export.name}.{column}"
        for export in EXPORTS
        for column in (*export.key, *export.columns)
        if not published[export.name]["columns"].get(column, {}).get("description")
    ]
    assert missing == []


def test_every_export_is_a_model_or_a_table_of_scoring(published):
    assert [export.name for export in EXPORTS if export.name not in published] == []


def test_every_export_stands_in_the_exposure_of_its_area():
    exposures = compiled_manifest()["exposures"].values()
    exposed = {
        exposure["name"]: {parent.split(".")[-1] for parent in exposure["depends_on"]["nodes"]}
        for exposure in exposures
        if exposure["name"].startswith("published_")
    }
    assert exposed == {
        f"published_{area}": {export.name for export in exports} for area, exports in AREAS.items()
    }


def test_the_exposure_of_the_page_names_the_tables_its_queries_read():
    queries = (PROJECT / "exports" / "queries").rglob("*.sql")
    named = {
        name
        for query in queries
        for name in re.findall(r"(?:from|join)\s+(\w+)", query.read_text(encoding="utf-8"))
    }
    exposures = compiled_manifest()["exposures"].values()
    page = next(exposure for exposure in exposures if exposure["name"] == "page")
    assert {parent.split(".")[-1] for parent in page["depends_on"]["nodes"]} == named & {
        export.name for export in EXPORTS
    }


def test_every_table_of_scoring_is_attached_and_declared():
    manifest = compiled_manifest()
    declared = {s["name"] for s in manifest["sources"].values() if s["source_name"] == "scores"}
    assert declared == set(SCORE_TABLES)


def test_every_signal_in_the_rules_is_a_column_of_customer_signals(models):
    columns = set(models["customer_signals"]["columns"])
    health = Rules.model_validate({}).health
    signals = {name for component in health.components.values() for name in component.signals}
    assert signals - columns == set()


def test_the_vars_of_the_project_are_the_defaults_of_the_settings():
    project = yaml.safe_load((DBT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert project["vars"] == dbt_vars(Definitions())


def test_the_load_of_a_csm_counts_a_warning_as_the_rules_do():
    assert dbt_vars(Definitions())["hours_per_warning"] == (
        Rules.model_validate({}).budget.hours_per_warning
    )


def test_every_field_a_record_may_require_is_a_column_of_customer_360(models):
    code = models["record_completeness"]["raw_code"]
    fields = set(get_args(RecordField))
    assert fields == set(re.findall(r"^    '(\w+)': ", code, re.MULTILINE))
    assert fields <= set(models["customer_360"]["columns"])


def test_no_threshold_stands_in_sql_as_a_literal_interval(models):
    """Days, weeks and months that decide something come from vars; only window names are fixed."""
    pattern = re.compile(r"interval\s+'?\d", re.IGNORECASE)
    assert [name for name, model in models.items() if pattern.search(model["raw_code"])] == []


def test_source_is_called_in_staging_and_for_the_scores_only(models):
    outside = [
        name
        for name, model in models.items()
        if "source(" in model["raw_code"]
        and not model["path"].startswith("staging")
        and "source('scores'" not in model["raw_code"]
    ]
    assert outside == []


def test_what_finance_may_adjust_is_read_adjusted(models):
    """Only counts of what came at the door, and what tells an adjustment's effect, read it raw."""
    adjustable = {"stg_orders__orders", "stg_orders__order_lines", "stg_orders__subscriptions"}
    raw = {
        name
        for name, model in models.items()
        if adjustable & {parent.split(".")[-1] for parent in model["depends_on"]["nodes"]}
    }
    assert raw == {
        *("int_orders_adjusted", "int_order_lines_adjusted", "int_subscriptions_adjusted"),
        *("int_adjustments_judged", "int_entities_connected", "int_entities_orphaned"),
    }


def test_every_command_stands_in_the_readme():
    commands = [
        command.name or command.callback.__name__
        for command in app.registered_commands
        if not command.hidden
    ]
    assert [name for name in commands if f"customer-health {name}" not in README] == []


def test_every_make_target_for_people_stands_in_the_readme():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^(\w+):.*## ", makefile, re.MULTILINE)
    assert [target for target in targets if f"make {target}" not in README] == []


def test_every_folder_the_readme_names_exists():
    folders = re.findall(r"^\| `([\w/]+/)` \|", README, re.MULTILINE)
    assert folders
    assert [folder for folder in folders if not (PROJECT / folder).is_dir()] == []


def test_dbt_holds_no_python_package():
    assert not list(Path(DBT).glob("**/__init__.py"))


def test_the_generated_pages_are_current(tmp_path):
    """`make docs` writes them."""
    pages = generated_pages(tmp_path)
    stale = [page.name for page, text in pages.items() if page.read_text("utf-8") != text]
    assert stale == []


def test_every_metric_of_the_page_says_where_it_stands():
    page = (PROJECT / "docs" / "metrics.md").read_text("utf-8")
    assert [line for line in page.splitlines() if line.startswith("|") and "|  |" in line] == []
