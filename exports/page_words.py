"""The words and figures of the page, in the company's language."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from markupsafe import Markup

LANGUAGES = ("en", "zh")
DASH = "–"


class Words:
    """One language: sentences by `section.key`, names of values of the data."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self.catalogue: Mapping[str, Any] = read_catalogue(self.language)

    def say(self, key: str, **figures: object) -> Markup:
        """The sentence of `section.key`, filled with figures, which are escaped."""
        section, sentence = key.split(".")
        return Markup(self.catalogue[section][sentence]).format(
            **{
                name: Count(figure) if isinstance(figure, (int, Decimal)) else figure
                for name, figure in figures.items()
            }
        )

    def write(self, key: str, **figures: object) -> str:
        """As `say`, for where nothing is markup: mail and chat."""
        return str(self.say(key, **figures).unescape())

    @property
    def tells_details(self) -> bool:
        """The details of alarms and findings are written in English."""
        return self.language == "en"

    def name(self, value: str | None) -> str:
        """A value of the data as words; one the catalogue does not know loses its underscores."""
        if value is None:
            return DASH
        return str(self.catalogue["names"].get(value, value.replace("_", " ")))

    def reason(self, code: str | None) -> str:
        """A warning's reason as a short sentence."""
        return str(self.catalogue["reasons"].get(code, self.name(code)))

    def join(self, parts: list[Any], by: str = "and") -> str:
        """A list in a sentence."""
        return str(self.catalogue["page"][by]).join(map(str, parts))

    def weekday(self, day: dt.date) -> str:
        """The day of the week."""
        return str(self.catalogue["page"]["weekdays"][day.weekday()])

    def not_measured(self) -> Markup:
        """What stands for null: a dash that says what it is."""
        title = self.catalogue["page"]["not_measured"]
        return Markup('<span class="unknown" title="{0}"><span aria-hidden="true">{1}</span>'
                      '<span class="heard">{0}</span></span>').format(title, DASH)  # fmt: skip


class Count(int):
    """A count in a sentence: `{n}` is its figure, `{n:call|calls}` figure and matching word."""

    def __format__(self, forms: str) -> str:
        figure = f"{int(self):,}"
        if not forms:
            return figure
        one, _, other = forms.partition("|")
        return f"{figure} {one if self == 1 else other}"


@cache
def read_catalogue(language: str) -> Mapping[str, Any]:
    """`words/<language>.yml`."""
    text = (files("exports") / "words" / f"{language}.yml").read_text(encoding="utf-8")
    catalogue: Mapping[str, Any] = yaml.safe_load(text)
    return catalogue


def write_money(value: Decimal | float | None) -> str | None:
    """Whole units with thousands separators."""
    return None if value is None else f"{_whole(value):,}".replace("-", "−")


def write_percent(value: Decimal | float | None, digits: int = 0) -> str | None:
    """A quotient as per cent."""
    return None if value is None else f"{value * 100:.{digits}f}\u00a0%"


def write_number(value: Decimal | float | None, digits: int = 0) -> str | None:
    """A number with thousands separators."""
    return None if value is None else f"{value:,.{digits}f}"


def write_signed(value: Decimal | float | None) -> str | None:
    """A change with its sign, one decimal."""
    return None if value is None else f"{value:+,.1f}".replace("-", "−")


def write_day(value: dt.date | dt.datetime | None) -> str | None:
    """An ISO date."""
    return None if value is None else f"{value:%Y-%m-%d}"


def write_month(value: dt.date | None) -> str | None:
    """A month as year and number."""
    return None if value is None else f"{value:%Y-%m}"


def _whole(value: Decimal | float) -> int:
    return int(Decimal(value).quantize(Decimal(1)))
