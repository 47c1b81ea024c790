"""Sentences with figures, in English or Chinese, from the wordings of sentences.yml."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from scoring.config import Language

WORDINGS_FILE = Path(__file__).parent / "sentences.yml"
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
}

Row = Mapping[str, Any]


def say_signal(signal: str, row: Row, language: Language) -> str:
    """The clause of a signal, such as "active users fell from 42 to 17 in four weeks"."""
    for wording in read_wordings()["signals"].get(signal, ()):
        if _holds(wording.get("when"), row) and _has_figures(wording[language], row):
            return fill(wording[language], row, language)
    plain = read_wordings()["phrases"]["plain"][language]
    return str(plain.format(name=say_name(signal, "en"), value=write_figure(row.get(signal), "")))


def say_score(
    score: float | None,
    band: str,
    coverage: float | None,
    signals: Sequence[str],
    *,
    row: Row,
    language: Language,
) -> str:
    """The one sentence of a score: its figure, its band and the signals that cost most."""
    phrases = read_wordings()["phrases"]
    clauses = phrases["between"][language].join(
        say_signal(signal, row, language) for signal in signals
    )
    if score is None:
        key = "unmeasured"
    elif band == "unknown":
        key = "unknown" if signals else "unknown_healthy"
    else:
        key = "scored" if signals else "healthy"
    return str(
        phrases[key][language].format(
            score=write_figure(math.floor((score or 0.0) + 0.5), ""),
            band=say_name(band, language),
            coverage=write_figure(coverage or 0.0, "percent"),
            clauses=clauses,
        )
    )


def say_reason(code: str, english: str, standing: str, row: Row, language: Language) -> str:
    """The sentence of a warning reason that is on.

    `standing` is `holds`, `easing` (no longer so tonight, not yet confirmed) or `held` (not
    measured tonight). A figure that is missing makes a sentence without figures of it.
    """
    template = english if language == "en" else read_wordings()["reasons"][code]
    if standing == "holds" and _fields_all_or_some(template, row):
        return fill(template, row, language)
    phrase = read_wordings()["phrases"]["easing" if standing == "easing" else "held"][language]
    name = say_name(code, language)
    return str(phrase.format(name=name[:1].upper() + name[1:]))


def fill(template: str, row: Row, language: Language) -> str:
    """A template with the row's figures; a figure that is not measured is written as a dash."""
    parts = []
    for text, field, spec, _ in Formatter().parse(template):
        parts.append(text)
        if field is not None:
            value = row.get(field)
            name_it = spec == "name" and value is not None
            parts.append(
                say_name(str(value), language) if name_it else write_figure(value, spec or "")
            )
    return "".join(parts)


def write_figure(value: Any, spec: str) -> str:
    """A value as people read it: 1,234; 3.5; 62 %; 2024-01-31; yes."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date | str):
        return str(value)
    number = Decimal(str(value))
    if spec == "percent":
        return f"{number * 100:,.0f} %".replace("-0 %", "0 %")
    if spec == "money" or number == number.to_integral_value():
        return f"{number:,.0f}"
    return f"{number:,.1f}"


def say_name(code: str, language: Language) -> str:
    """A code in words: translated where sentences.yml has it, else with spaces."""
    translated = read_wordings()["names"].get(language, {})
    return str(translated.get(code, code.replace("_", " ")))


@cache
def read_wordings() -> dict[str, Any]:
    """sentences.yml as plain data."""
    wordings = yaml.safe_load(WORDINGS_FILE.read_text(encoding="utf-8"))
    assert isinstance(wordings, dict)
    return wordings


def _holds(condition: str | None, row: Row) -> bool:
    if condition is None:
        return True
    left, sign, right = condition.split()
    values = row.get(left), row.get(right)
    return None not in values and SIGNS[sign](*values)


def _fields(template: str) -> Iterator[str]:
    return (field for _, field, _, _ in Formatter().parse(template) if field)


def _has_figures(template: str, row: Row) -> bool:
    return all(row.get(field) is not None for field in _fields(template))


def _fields_all_or_some(template: str, row: Row) -> bool:
    """One missing figure of several is a dash; a sentence without any figure left is not said."""
    fields = list(_fields(template))
    return not fields or any(row.get(field) is not None for field in fields)
