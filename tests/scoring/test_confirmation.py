"""What is said changes after it was seen on two nights running."""

from __future__ import annotations

import polars as pl
import pytest

from scoring.confirmation import MEMORY_SCHEMA, confirm


def say_on(nights: list[str | None], said: str | None = None) -> list[str | None]:
    memory = {
        "customer_id": "a",
        "subject": "x",
        "said": said,
        "pending": None,
        "pending_nights": 0,
    }
    heard = []
    for raw in nights:
        seen = pl.DataFrame([{**memory, "raw": raw}], schema={**MEMORY_SCHEMA, "raw": pl.String()})
        memory = confirm(seen, nights=2).row(0, named=True)
        heard.append(memory["said"])
    return heard


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (["red", "red"], ["green", "red"]),
        (["red", "green", "red", "red"], ["green", "green", "green", "red"]),
        (["red", "yellow", "yellow"], ["green", "green", "yellow"]),
        (["red", None, "red", "red"], ["green", "green", "green", "red"]),
    ],
)
def test_a_change_is_said_when_two_nights_running_saw_it(seen, said):
    assert say_on(seen, said="green") == said


def test_the_first_value_is_said_at_once():
    assert say_on(["red", "green", "green"]) == ["red", "red", "green"]
