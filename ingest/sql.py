"""Names and values as SQL, and SQL as a tree."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import duckdb


def name(identifier: str) -> str:
    """A quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """A quoted SQL string."""
    return "'" + value.replace("'", "''") + "'"


def moment(value: datetime) -> str:
    """A timestamp with zone as SQL."""
    return f"timestamptz {text(value.isoformat(sep=' '))}"


def expression_tree(sql: str) -> Any:
    """The parsed form of one SQL expression; raises ValueError with one line where it is none."""
    with duckdb.connect() as connection:
        query = "select json_serialize_sql(?)"
        answer = connection.execute(query, [f"select (\n{sql}\n)"]).fetchall()[0][0]
    tree = json.loads(answer)
    if tree.get("error"):
        said = str(tree.get("error_message", "")).splitlines()[0]
        raise ValueError(
            f"not an SQL expression: {said} "
            '(names with spaces or of SQL\'s own words stand in "double quotes")'
        )
    if len(tree["statements"]) != 1:
        raise ValueError("must be one SQL expression")
    return tree["statements"]


def format_problem(pattern: str) -> str | None:
    """Why a text is no strptime format; None where it is one."""
    if "%" not in pattern:
        return 'needs strptime codes, such as "%d.%m.%Y"'
    with duckdb.connect() as connection:
        try:
            connection.execute("select try_strptime('', ?)", [pattern])
        except duckdb.Error as error:
            return str(error).splitlines()[0].partition(": ")[2]
    return None
