"""dbt as a night starts it: with what set-up has parsed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dagster_project import dbt_command
from dagster_project.dbt_manifest import MANIFEST, PROJECT, parse_if_stale
from dagster_project.settings import Definitions, dbt_vars

OF_THIS_PARSE = {"created_at", "build_path"}


def test_what_dbt_parses_is_the_same_whatever_a_company_defines(tmp_path):
    parse_if_stale()
    defined = json.loads(json.dumps(dbt_vars(Definitions()), default=str))
    others = {name: another(value) for name, value in defined.items()}
    others["state_segments"] = {"enterprise": {"silent_working_days": 30}}
    assert not {name for name in defined if others[name] == defined[name]}
    subprocess.run(
        [
            *(str(Path(sys.executable).parent / "dbt"), "--quiet", "parse"),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(tmp_path), "--vars", json.dumps(others)),
        ],
        env=os.environ | {"CUSTOMER_HEALTH_BUILD": str(tmp_path / "night.duckdb")},
        check=True,
    )
    assert nodes(tmp_path / "manifest.json") == nodes(MANIFEST)


def another(value: Any) -> Any:
    """A value of the same shape that is not this one; of a list also another length."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}_2"
        case dict():
            return {key: another(item) for key, item in value.items()}
        case [first, *rest]:
            return [another(first), *map(another, rest), another(first)]
        case _:
            return ["one", "two"] if value == [] else "something"


def nodes(manifest: Path) -> dict[str, dict[str, Any]]:
    """Models, tests and metrics by their id, without what tells one parse from another."""
    parsed = json.loads(manifest.read_text(encoding="utf-8"))
    return {
        node_id: {key: value for key, value in node.items() if key not in OF_THIS_PARSE}
        for kind in ("nodes", "sources", "metrics", "semantic_models", "unit_tests")
        for node_id, node in parsed[kind].items()
    }


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["build", "--no-such"], 2)])
def test_its_exit_code_says_whether_dbt_could_go_on(arguments, code, capfd):
    parse_if_stale()
    assert dbt_command.main(arguments) == code
    assert "--no-such" in capfd.readouterr().err or code == 0
