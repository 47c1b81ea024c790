"""Every worked query of docs/analysts.md on a published night."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from exports.tables import EXPORTS
from tests.dagster_project.nights import repeated

ANALYSTS = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text(encoding="utf-8")
# Question, query, and the paragraph that says what to look at.
QUESTIONS = {
    question: (query, explanation)
    for question, query, explanation in re.findall(
        r"### (.+)\n\n```sql\n((?:.+\n)+?)```\n\n((?:.+\n)+)", ANALYSTS
    )
}


@repeated
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_query_for_analysts_answers_with_what_is_said_of_it(second, question):
    query, explanation = QUESTIONS[question]
    with duckdb.connect(second[0] / "published/current.duckdb", read_only=True) as connection:
        answer = connection.execute(query)
        columns = {name for name, *_ in answer.description}
        assert answer.fetchone() is not None
    named = set(re.findall(r"`(\w+)`", explanation))
    assert named & columns
    assert named <= columns | {export.name for export in EXPORTS}
