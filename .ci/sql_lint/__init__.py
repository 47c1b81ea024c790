"""What sqlfluff's jinja templater needs to render the dbt models, read as `library_path`.

Macros are stood in for: one that makes a query by a `select` from the relation it is given or from
a call of its name, one that makes a condition or an expression by the call. dbt's own templater, or
rendering the real macros, takes minutes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

_PROJECT = Path(__file__).resolve().parents[2] / "dbt"
_VARS: dict[str, Any] = yaml.safe_load((_PROJECT / "dbt_project.yml").read_text("utf-8"))["vars"]
_MACRO = re.compile(r"{%-?\s*macro (\w+)\(.*?\)\s*-?%}(.*?){%-?\s*endmacro", re.DOTALL)
_JINJA = re.compile(r"{[%#].*?[%#]}", re.DOTALL)


def _stand_in(name: str, body: str) -> Callable[..., str]:
    begins = re.match(r"\s*(with|select|where)\b", _JINJA.sub("", body))
    makes = begins.group(1) if begins else "expression"

    def call(*arguments: Any, **_: Any) -> str:
        # A window or an aliased query is no argument that a call could have.
        said = ", ".join(str(it) for it in arguments if not re.search(r" by |\) as ", str(it)))
        if makes == "expression":
            return f"{name}({said})"
        if makes == "where":
            return f"where {name}({said})"
        is_given = arguments and re.fullmatch(r"[a-z_]+", str(arguments[0]))
        relation = arguments[0] if is_given else f"{name}_rows"
        return f"select * from {relation} where {name}({said})"

    return call


for _file in sorted((_PROJECT / "macros").glob("*.sql")):
    for _name, _body in _MACRO.findall(_file.read_text("utf-8")):
        globals()[_name] = _stand_in(_name, _body)


def var(name: str, default: Any = None) -> Any:
    """A var of the project, with its default value."""
    return _VARS.get(name, default)


def tojson(value: Any) -> str:
    """As dbt has it."""
    return json.dumps(value)


def entities() -> list[dict[str, Any]]:
    """Three of the entities stand for all."""
    customer = [["customer_id", "customers"]]
    return [
        {"name": "customers", "group": "crm", "model": "customers", "key": ["customer_id"]}
        | {"happened": "created_at", "parents": []},
        {"name": "tickets", "group": "crm", "model": "tickets", "key": ["ticket_id"]}
        | {"happened": "opened_at", "parents": customer},
        {"name": "services", "group": "orders", "model": "services", "key": ["service_id"]}
        | {"happened": "starts_on", "parents": [*customer, ["order_line_id", "order_lines"]]},
    ]


def adjustable_columns() -> dict[str, Any]:
    """One of the entities stands for all."""
    return {"orders": {"model": "orders", "key": "order_id", "columns": {"status": "varchar"}}}


class dbt:  # noqa: N801 - the name models call it by
    """dbt's cross-database macros, as short as the line that calls them."""

    @staticmethod
    def dateadd(datepart: str, interval: Any, from_date_or_timestamp: str) -> str:
        return f"date_add({from_date_or_timestamp}, {interval})"

    @staticmethod
    def datediff(first_date: str, second_date: str, datepart: str) -> str:
        return f"date_diff('{datepart}', {first_date}, {second_date})"

    @staticmethod
    def date_trunc(datepart: str, date: str) -> str:
        return f"date_trunc('{datepart}', {date})"

    @staticmethod
    def safe_cast(field: str, type: str) -> str:
        return f"try_cast({field} as {type})"

    @staticmethod
    def generate_series(upper_bound: int) -> str:
        return f"select generated_number from series_to_{upper_bound}"
