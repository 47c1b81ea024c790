"""Every folder `tests/scenarios/<theme>/<story>/`: raw CSVs in, the marts named after them out.

`scenario.yml` tells the story in a sentence, names the night (`as_of`) and may change definitions.
`<entity>.csv` are raw rows, `batches.csv` what the ledger says of them where it matters;
`expected/<model>.csv` the rows of a model, in the columns it names.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dagster_project.settings import Definitions
from tests.warehouse import compiled_manifest, run_models

SCENARIOS = Path(__file__).parent.parent / "scenarios"
STORIES = sorted(path.parent for path in SCENARIOS.glob("*/*/scenario.yml"))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a CSV as text; an empty cell is a null and left out."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {column: value for column, value in row.items() if value != ""}
            for row in csv.DictReader(file)
        ]


def load_expected(connection: duckdb.DuckDBPyConnection, path: Path, relation: str) -> list[str]:
    """Load an expected CSV into `expected`, typed as the model types its columns; their names."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    columns = ", ".join(f'"{column}"' for column in header)
    connection.execute(
        f"create or replace temp table expected as select {columns} from {relation} limit 0"
    )
    marks = ", ".join("nullif(?, '')" for _ in header)
    for row in rows:
        connection.execute(f"insert into expected select {marks}", row)
    return header


def read_comparable(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: list[str]
) -> list[tuple[Any, ...]]:
    """Rows in a fixed order, numbers to six places, everything as text."""
    described = connection.execute(f"describe {relation}").fetchall()
    types = {name: kind for name, kind, *_ in described}
    expressions = [
        f'cast(round("{column}", 6) as varchar)'
        if types[column].startswith("DECIMAL") or types[column] == "DOUBLE"
        else f'cast("{column}" as varchar)'
        for column in columns
    ]
    found = connection.execute(f"select {', '.join(expressions)} from {relation}").fetchall()
    return sort_rows(found)


def sort_rows(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: tuple((value is not None, value or "") for value in row))


@pytest.mark.parametrize("story", STORIES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_story_ends_as_told(story: Path) -> None:
    told = yaml.safe_load((story / "scenario.yml").read_text(encoding="utf-8"))
    definitions = Definitions.model_validate(told.get("definitions", {}))
    expected = sorted((story / "expected").glob("*.csv"))
    raw = {path.stem: read_rows(path) for path in sorted(story.glob("*.csv"))}
    batches = raw.pop("batches", [])
    connection = run_models(
        raw,
        told["as_of"],
        [path.stem for path in expected],
        definitions=definitions,
        batches=batches,
        previous_night=told.get("previous_night"),
        holidays=dict.fromkeys(told.get("holidays", []), "holiday"),
    )
    nodes = compiled_manifest()["nodes"]
    for path in expected:
        relation = nodes[f"model.customer_health.{path.stem}"]["relation_name"]
        columns = load_expected(connection, path, relation)
        found = read_comparable(connection, relation, columns)
        assert found == read_comparable(connection, "expected", columns), path.stem
