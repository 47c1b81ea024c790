"""Names and values as SQL."""

from __future__ import annotations

from datetime import datetime


def name(identifier: str) -> str:
    """A quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """A quoted SQL string."""
    return "'" + value.replace("'", "''") + "'"


def moment(value: datetime) -> str:
    """A timestamp with zone as SQL."""
    return f"timestamptz {text(value.isoformat(sep=' '))}"
