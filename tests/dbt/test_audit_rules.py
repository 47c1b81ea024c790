"""Every audit rule is registered, told of and shown to find what it says."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.warehouse import DBT, compiled_manifest

AUDIT = DBT / "models" / "marts" / "audit"
RULES = sorted(path.stem for path in (AUDIT / "rules").glob("*.sql"))
SCENARIOS = Path(__file__).parent.parent / "scenarios" / "audit"


@pytest.fixture(scope="module")
def registered() -> dict[str, str]:
    """Severity of each rule, as `rule_audit` gives it."""
    text = (AUDIT / "rule_audit.sql").read_text(encoding="utf-8")
    return dict(re.findall(r"^    '(\w+)': '(\w+)',$", text, re.MULTILINE))


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """Severity of each rule, as the table of rules tells it."""
    text = (AUDIT / "_audit__docs.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `(\w+)` \| (\w+) \|(?:[^|]+\|){3}$", text, re.MULTILINE))


def test_every_rule_file_is_registered(registered):
    assert sorted(registered) == RULES


def test_the_table_of_rules_tells_every_rule_with_its_severity(registered, told):
    assert told == registered


def test_every_rule_is_shown_to_find_something():
    found = {
        row["rule"]
        for path in SCENARIOS.glob("*/expected/rule_audit.csv")
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    }
    assert found == set(RULES)


def test_no_rule_names_a_row():
    """Exceptions are rows of `adjustments`: no id stands in SQL."""
    words = re.compile(r"_(?:key|id)\b\s*(?:=|in|!=)\s*\(?\s*'")
    named = [
        rule
        for rule in RULES
        if words.search((AUDIT / "rules" / f"{rule}.sql").read_text(encoding="utf-8"))
    ]
    assert named == []


def test_rules_cost_the_night_one_query():
    nodes = compiled_manifest()["nodes"]
    kinds = {nodes[f"model.customer_health.{rule}"]["config"]["materialized"] for rule in RULES}
    assert kinds == {"ephemeral"}
