"""Sentences with figures, in English or Chinese, from the wordings of sentences.yml."""

from __future__ import annotations

import math
import re
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
ONE_OF_MANY = re.compile(r"(?<![\d.,])1 (day|user|seat)s\b")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
}

Row = Mapping[str, Any]


def say_signal(signal: str, row: Row, language: Language) -> str:
    """The clause of a signal, such as "active users fell from 42 to 17 in four weeks"."""
    return fill(_wording_of(signal, row, language), row, language)


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


def say_trend(points: float | None, reason: str, language: Language) -> str | None:
    """What a week did to the score; None where that is unknown or less than a tenth."""
    if points is None or abs(points) < 0.05:
        return None
    phrase = read_wordings()["phrases"]["trend"][language]
    return str(phrase.format(points=write_points(points), reason=reason))


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


def say_component_change(
    component: str,
    signal: str | None,
    delta: float,
    *,
    before: Row,
    now: Row,
    language: Language,
) -> str:
    """The sentence of a component that moved by `delta` points, with the signal that moved most."""
    phrases = read_wordings()["phrases"]
    figures = {
        "component": say_name(component, language).capitalize(),
        "points": write_points(delta),
    }
    if signal is None:
        return str(phrases["change_of_signals"][language].format(**figures))
    was = write_value(signal, before.get(signal), language)
    if delta < 0:
        wording = _wording_of(signal, now, language)
        # The figure before can only be read beside the same figure now.
        key = "change_fell_from" if signal in _fields(wording) else "change_fell"
        clause = fill(wording, now, language)
        return str(phrases[key][language].format(**figures, clause=clause, before=was))
    moved = {"signal": say_name(signal, language), "before": was}
    moved["now"] = write_value(signal, now.get(signal), language)
    return str(phrases["change_moved"][language].format(**figures, **moved))


def say_change(
    phrase: str, before: float, after: float, figures: Mapping[str, Any], language: Language
) -> str:
    """The sentence of a step of the change ledger: from one score to the next."""
    phrases = read_wordings()["phrases"]
    spelled = {
        name: say_name("none", language) if value is None else write_figure(value, "")
        for name, value in figures.items()
        if not isinstance(value, list)
    }
    sets = [
        phrases[name][language].format(
            components=", ".join(say_name(component, language) for component in components)
        )
        for name, components in figures.items()
        if isinstance(components, list) and components
    ]
    return str(
        phrases[phrase][language].format(
            before=f"{before:.1f}",
            after=f"{after:.1f}",
            points=write_points(after - before),
            changes=phrases["between"][language].join(sets),
            **spelled,
        )
    )


def say_verdict(verdict: str, figures: Mapping[str, Any], language: Language) -> str:
    """The verdict of a report card in words."""
    return str(read_wordings()["verdicts"][verdict][language].format(**figures))


def say_method(method: str, is_in_force: bool, language: Language) -> str:
    """A method as the subject of a sentence; the one in force is the score itself."""
    if is_in_force:
        return str(read_wordings()["verdicts"]["score"][language])
    return say_name(method, language).capitalize()


def write_points(delta: float) -> str:
    """Points with their sign: +3.2, -0.1; what rounds to nothing is said to a hundredth."""
    return f"{delta:+.1f}" if abs(delta) >= 0.05 else f"{delta:+.2f}"


def write_value(signal: str, value: Any, language: Language) -> str:
    """A signal's value as its wording writes it."""
    if isinstance(value, bool):
        return say_name("yes" if value else "no", language)
    if isinstance(value, str):
        return say_name(value, language)
    return write_figure(value, _spec_of(signal))


@cache
def _spec_of(signal: str) -> str:
    for wording in read_wordings()["signals"].get(signal, ()):
        for _, field, spec, _ in Formatter().parse(wording["en"]):
            if field == signal:
                return spec or ""
    return "percent" if signal.endswith(("_ratio", "_slope")) else ""


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
    spelled = "".join(parts)
    return ONE_OF_MANY.sub(r"1 \1", spelled) if language == "en" else spelled


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


def _wording_of(signal: str, row: Row, language: Language) -> str:
    """The template of a signal's clause that fits the row; without any, its name and figure."""
    for wording in read_wordings()["signals"].get(signal, ()):
        if _holds(wording.get("when"), row) and _has_figures(wording[language], row):
            return str(wording[language])
    plain = read_wordings()["phrases"]["plain"][language]
    return str(plain.format(name=say_name(signal, language), value=f"{{{signal}}}"))


def _holds(condition: str | None, row: Row) -> bool:
    if condition is None:
        return True
    left, sign, right = condition.split()
    values = row.get(left), row.get(right) if right in row else _number(right)
    return None not in values and SIGNS[sign](*values)


def _number(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


def _fields(template: str) -> Iterator[str]:
    return (field for _, field, _, _ in Formatter().parse(template) if field)


def _has_figures(template: str, row: Row) -> bool:
    return all(row.get(field) is not None for field in _fields(template))


def _fields_all_or_some(template: str, row: Row) -> bool:
    """One missing figure of several is a dash; a sentence without any figure left is not said."""
    fields = list(_fields(template))
    return not fields or any(row.get(field) is not None for field in fields)
