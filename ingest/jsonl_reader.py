"""Rows of a JSONL file as text, numbers as they were written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ingest.content import Parts, check_names
from ingest.refusals import Refused, one_line
from ingest.streams import Text


def read_jsonl(text: Text, parts: Parts) -> None:
    """Adds one row a line; columns come as the rows bring them."""
    places: dict[str, int] = {}
    columns: list[str] = []
    for line in text.lines():
        if not line.strip():
            continue
        try:
            thing = _parse(line)
            if "\\u" in line:
                # Half of a surrogate pair is JSON, but no text that can be stored.
                json.dumps(thing, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            parts.add_broken(text.count, f"is not JSON: {one_line(error)}", line.rstrip("\r\n"))
            continue
        if not isinstance(thing, dict):
            parts.add_broken(text.count, "is not a JSON object", line.rstrip("\r\n"))
            continue
        row: list[str | None] = [None] * len(columns)
        for name, value in thing.items():
            if name not in places:
                places[name] = len(columns)
                columns.append(name)
                check_names(columns)
                parts.start(columns)
                row.append(None)
            row[places[name]] = _text(value)
        parts.add(text.count, row)
    broken = parts.first_broken
    if broken is not None and (not columns or broken.strip() == "["):
        raise Refused(
            "is not one JSON object a line; `jq -c '.[]' <file>` writes the members of an array so"
        )


class _Number(str):
    """The digits of a JSON number as they were written."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("it has a key twice")
    return members


_parse: Callable[[str], Any] = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_float=_Number,
    parse_int=_Number,
    parse_constant=lambda name: None,
).decode


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Numbers kept as text become numbers again before nested JSON is written."""
    if isinstance(value, _Number):
        return int(value) if value.lstrip("-").isdigit() else float(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
