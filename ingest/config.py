"""The `sources:` section of customer_health.yml: which files hold which entity, and how."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    model_validator,
)

from ingest.contracts import ENTITIES, all_columns
from ingest.sql import expression_tree, format_problem

Format = Literal["csv", "jsonl", "parquet"]
Delivery = Literal["full", "changes"]

ENTITY_ORDER = ("exchange_rates", *(name for name in ENTITIES if name != "exchange_rates"))
DATE_IN_NAME = r"(?<!\d)((?:19|20)\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01]))(?!\d)"
# What `date_format` and `timestamp_format` may be beside strptime: units of a second in one.
EPOCHS = {"epoch_seconds": 1, "epoch_milliseconds": 1_000, "epoch_microseconds": 1_000_000}


@dataclass(frozen=True)
class Company:
    """What the front door must know of the company: days are days in `zone`."""

    zone: str = "UTC"
    currency: str = "EUR"
    country: str | None = None
    started_on: date | None = None

    def start_of(self, day: date) -> datetime:
        """First instant of a day, with zone."""
        return datetime.combine(day, time.min, ZoneInfo(self.zone))

    def end_of(self, day: date) -> datetime:
        """Last instant of a day, to the microsecond, in UTC."""
        start_of_next = self.start_of(day + timedelta(days=1)).astimezone(ZoneInfo("UTC"))
        return start_of_next - timedelta(microseconds=1)


class Misplaced(ValueError):
    """A mistake below the value that is checked: `place` leads from there to its key."""

    def __init__(self, place: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.place = place


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SqlExpression(_Section):
    """A column computed by a DuckDB expression over the columns of the source."""

    sql: str


class Constant(_Section):
    """A column that has the same value in every row."""

    value: str | int | float | bool | date


def _origin(given: Any) -> Any:
    is_section = isinstance(given, dict) and list(given) in (["sql"], ["value"])
    if is_section and isinstance(given.get("sql", ""), str) and given.get("value", "") is not None:
        return given
    if isinstance(given, str | SqlExpression | Constant):
        return given
    raise ValueError(
        'must be the name of a source\'s column (a number in quotes), {sql: "expression"} or '
        f"{{value: constant}}; found {given!r}"
    )


def _time_format(pattern: str | None) -> str | None:
    if pattern == "%s":
        return "epoch_seconds"
    if pattern is None or pattern in EPOCHS:
        return pattern
    if problem := format_problem(pattern):
        raise ValueError(f"{problem}; or write {', '.join(EPOCHS)}")
    return pattern


def _encoding(encoding: str) -> str:
    try:
        "".encode(encoding)
    except LookupError as error:
        raise ValueError(f"unknown encoding {encoding!r}, such as utf-8, windows-1252") from error
    return encoding


def _delimiter(delimiter: str) -> str:
    if delimiter != "whitespace" and len(delimiter) != 1:
        raise ValueError("must be one character, or `whitespace`")
    return delimiter


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}, write it like Europe/Berlin") from error
    return name


def _pattern(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if groups != 1:
        raise ValueError("must have exactly one group, which is the date")
    return pattern


def _relative_glob(pattern: str) -> str:
    if pattern.startswith(("/", "~")) or ".." in pattern.split("/") or "\\" in pattern:
        raise ValueError("must be a name or pattern inside the source's location")
    return pattern


class Limits(_Section):
    """What a file may not exceed before it is refused whole."""

    max_file_bytes: int = Field(20 * 2**30, gt=0, description="Largest file read.")
    max_expansion_ratio: float = Field(
        200, gt=1, description="Largest ratio of unpacked to packed bytes."
    )
    max_bad_share: float = Field(
        0.5, ge=0, le=1, description="A file with a larger share of bad rows is refused."
    )
    max_deleted_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="A full delivery that lacks a larger share of the known keys is refused.",
    )


class EntityMapping(_Section):
    """How the files of one source become rows of one entity."""

    files: Annotated[str, AfterValidator(_relative_glob)] = Field(
        description="File name or pattern inside the location; ** goes through folders."
    )
    delivery: Delivery = Field(
        "changes", description="full: each file is the whole entity; changes: new and changed rows."
    )
    columns: dict[str, Annotated[str | SqlExpression | Constant, BeforeValidator(_origin)]] = Field(
        default_factory=dict,
        description="Our name: the source's name, or sql: an expression, or value: a constant.",
    )
    attributes: tuple[str, ...] | None = Field(
        None, description="Source columns kept as attributes; all that are not mapped if not set."
    )
    may_lack: tuple[str, ...] = Field(
        (), description="Source columns that some files do not have: empty there."
    )
    where: str | None = Field(
        None, description="SQL condition over source columns; rows it leaves out are not delivered."
    )
    blocking: bool = Field(False, description="A refused file stops the night.")
    allow_empty: bool = Field(False, description="A file without rows is fine.")
    keep_raw: bool | None = Field(
        None, description="Keep the file as received, for replay; large event files are not."
    )


class SourceConfig(_Section):
    """One source: a folder of files in one format, and the entities in them."""

    format: Format = Field(description="csv, jsonl or parquet; .gz at the end is understood.")
    location: str = Field(description="Folder, relative to this file, or an fsspec URL.")
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="Zone of timestamps that carry no offset."
    )
    delivered_on_pattern: Annotated[str, AfterValidator(_pattern)] = Field(
        DATE_IN_NAME, description="Finds the day a file was delivered in its name."
    )
    term_end_is_inclusive: bool = Field(
        False, description="The source's end dates are the last day, not the day after."
    )
    delimiter: Annotated[str, AfterValidator(_delimiter)] = Field(
        ",", description='One character, such as ";" or "\\t", or `whitespace`.'
    )
    quote: str = Field('"', max_length=1, description="Quote character; empty for none.")
    encoding: Annotated[str, AfterValidator(_encoding)] = Field(
        "utf-8", description="Encoding of text files."
    )
    header: tuple[str, ...] | None = Field(
        None, description="Column names of CSV files that have no header line."
    )
    null_values: tuple[str, ...] = Field((), description="Texts that mean empty, beside ''.")
    date_format: Annotated[str | None, AfterValidator(_time_format)] = Field(
        None, description="strptime format of dates, or as below; ISO if not set. Not inside sql."
    )
    timestamp_format: Annotated[str | None, AfterValidator(_time_format)] = Field(
        None, description=f"strptime format of timestamps, or {', '.join(EPOCHS)}."
    )
    decimal_separator: Literal[".", ","] | None = Field(
        None,
        description="If set, numbers may have thousands separators: 1.234,50; not inside sql.",
    )
    needs_final_newline: bool = Field(
        True, description="A text file whose last line is not ended counts as cut."
    )
    storage_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of fsspec; ${NAME} reads the environment."
    )
    limits: Limits = Limits()
    entities: dict[str, EntityMapping] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> SourceConfig:
        for name, mapping in self.entities.items():
            place = ("entities", name)
            if name not in ENTITIES:
                raise Misplaced(place, f"unknown entity {name!r}{_hint(name, ENTITIES)}")
            if mapping.attributes is not None and not ENTITIES[name].keeps_unknown_columns:
                keeping = " and ".join(
                    key for key, it in ENTITIES.items() if it.keeps_unknown_columns
                )
                raise Misplaced((*place, "attributes"), f"only {keeping} keep attributes")
            known = [column.name for column in all_columns(ENTITIES[name])]
            for column, origin in mapping.columns.items():
                inside = (*place, "columns", column)
                if column not in known:
                    said = f"{name} has no column {column!r}{_hint(column, known)}"
                    raise Misplaced(inside, said)
                if isinstance(origin, SqlExpression):
                    _check_sql(inside, origin.sql)
            if mapping.where is not None:
                _check_sql((*place, "where"), mapping.where)
        return self

    @property
    def is_remote(self) -> bool:
        return "://" in self.location

    @property
    def shown_location(self) -> str:
        """The location as alarms may tell it: without user and password."""
        return re.sub(r"//[^/]*@", "//", self.location)

    def options(self) -> dict[str, Any]:
        """storage_options with secrets from the environment; a missing one is a ValueError."""
        filled: dict[str, Any] = _fill(self.storage_options)
        return filled


class SourcesConfig(RootModel[dict[str, SourceConfig]]):
    """The section `sources:`, by source name."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _check(self) -> SourcesConfig:
        for name in self.root:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
                raise ValueError(f"source name {name!r}: use letters, digits, _ and -")
        return self

    def resolved(self, folder: Path) -> SourcesConfig:
        """The same with local locations made absolute, relative to the configuration's folder."""
        return SourcesConfig(
            {
                name: source
                if source.is_remote
                else source.model_copy(
                    update={"location": str(folder / Path(source.location).expanduser())}
                )
                for name, source in self.root.items()
            }
        )

    def feeding(self, entity: str) -> list[tuple[str, SourceConfig, EntityMapping]]:
        """The sources that deliver an entity, by name."""
        return [
            (name, source, source.entities[entity])
            for name, source in sorted(self.root.items())
            if entity in source.entities
        ]

    def entities(self) -> tuple[str, ...]:
        """Entities any source delivers, in the order they must land: rates before money."""
        return tuple(name for name in ENTITY_ORDER if self.feeding(name))


def digest(thing: Any) -> str:
    """Sixteen hexadecimal digits that stand for a JSON-like value."""
    text = json.dumps(thing, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _check_sql(place: tuple[str, ...], sql: str) -> None:
    try:
        expression_tree(sql)
    except ValueError as error:
        raise Misplaced(place, str(error)) from error


def _hint(name: str, known: Any) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def _fill(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _fill(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner) for inner in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", _secret, value)
    return value


def _secret(match: re.Match[str]) -> str:
    name = match.group(1)
    if name not in os.environ:
        raise ValueError(f"the environment has no {name}, which storage_options asks for")
    return os.environ[name]
