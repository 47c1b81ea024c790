"""The one configuration file of a company: read, checked, and every error told with its place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from dagster_project.settings import Definitions
from exports.config import ExportsConfig
from exports.notices import NoticesConfig
from ingest.config import Misplaced, SourcesConfig
from scoring.config import AS_KEPT, Rules, read_default_rules

CONFIG_VARIABLE = "CUSTOMER_HEALTH_CONFIG"
HOME_VARIABLE = "CUSTOMER_HEALTH_HOME"


class ConfigurationError(Exception):
    """Something a user wrote is wrong: one line that says where and what to do."""


class Configuration(Definitions):
    """Everything a company decides. Each section is owned by the package that uses it."""

    as_of: Literal["yesterday", "latest_data"] = Field(
        "yesterday", description="Night to compute when none is named: yesterday or latest_data."
    )
    memory_limit: str = Field("6GB", description="Most memory DuckDB takes.")
    sources: SourcesConfig = Field(description="Where the data comes from.")
    scoring: Rules = Field(default_factory=lambda: Rules.model_validate({}))
    exports: ExportsConfig = Field(default_factory=ExportsConfig)
    notices: NoticesConfig = Field(default_factory=NoticesConfig)

    def as_kept(self) -> dict[str, Any]:
        """What a night keeps of it and is identified by: all that shapes its content.

        That leaves out where files come from and go to and who is told, which may hold secrets.
        """
        apart: dict[str, Any] = {
            "sources": True,
            "notices": True,
            "exports": {"publish_to": True},
        }
        return self.model_dump(mode="json", by_alias=True, exclude=apart) | {"sources": {}}

    @model_validator(mode="after")
    def _scoring_fits_the_facts(self, info: ValidationInfo) -> Configuration:
        """What scoring counts as lost, and from when on it is certain, is what dbt tells of it."""
        if info.context == AS_KEPT:
            return self
        money, churn = self.money, self.scoring.churn
        graces = ("grace_days_longer", "grace_days_half_year", "grace_days_monthly")
        longest = max(graces, key=lambda name: getattr(money, name))
        if churn.grace_days < getattr(money, longest):
            raise Misplaced(
                ("money", longest) if longest in money.model_fields_set else ("scoring", "churn"),
                f"money.{longest} ({getattr(money, longest)}) is longer than "
                f"scoring.churn.grace_days ({churn.grace_days}), which waits for all graces",
            )
        if churn.loss_ratio > money.loss_ratio:
            raise Misplaced(
                ("money", "loss_ratio")
                if "loss_ratio" in money.model_fields_set
                else ("scoring", "churn"),
                f"money.loss_ratio ({money.loss_ratio}) is below scoring.churn.loss_ratio "
                f"({churn.loss_ratio}), which would look for losses that are not noted",
            )
        return self

    @field_validator("memory_limit")
    @classmethod
    def _memory_has_a_unit(cls, limit: str) -> str:
        if not re.fullmatch(r"\d+(\.\d+)?\s?(MB|GB|MiB|GiB)", limit):
            raise ValueError("write a number and a unit, such as 6GB")
        return limit


def config_path(given: Path | None = None) -> Path:
    """As given, else $CUSTOMER_HEALTH_CONFIG, else ./customer_health.yml."""
    return Path(given or os.environ.get(CONFIG_VARIABLE) or "customer_health.yml").resolve()


def home_path(given: Path | None = None) -> Path:
    """The data root: as given, else $CUSTOMER_HEALTH_HOME, else ./var."""
    return Path(given or os.environ.get(HOME_VARIABLE) or "var").resolve()


def load(path: Path, is_kept: bool = False) -> Configuration:
    """Read and check the file; raises ConfigurationError with file, line and key.

    What a night kept (`Configuration.as_kept`) is whole: today's rules.yml does not lie under it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: no such file; `customer-health init DIR` writes one"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}:{line}: is not UTF-8; save it as UTF-8") from None
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        hint = "; indent with spaces, not tabs" if "\\t" in str(error.problem) else ""
        raise ConfigurationError(f"{path}:{line}: not valid YAML: {error.problem}{hint}") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(
            f"{path}: not valid YAML: {' '.join(str(error).split())}"
        ) from None
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}:1: expected keys such as `company:` and `sources:`")
    if repeated := _repeated_key(tree):
        raise ConfigurationError(f"{path}:{repeated}")
    if written := _line_of_address(tree):
        raise ConfigurationError(
            f"{path}:{written}: notices: an address is a secret; put it into the environment and "
            "write its name as ${NAME}"
        )
    try:
        return Configuration.model_validate(
            _with_environment(values, path), context=AS_KEPT if is_kept else None
        )
    except ValidationError as error:
        lines = list(_lines(path, tree, error))
    # Outside of the block: pydantic's error would hold what it found beyond the end of the process.
    raise ConfigurationError("\n".join(dict.fromkeys(lines)))


def _lines(path: Path, tree: yaml.Node | None, error: ValidationError) -> Iterable[str]:
    for problem in error.errors():
        location = tuple(problem["loc"])
        cause = problem.get("ctx", {}).get("error")
        location += cause.place if isinstance(cause, Misplaced) else ()
        line, keys = _place(tree, location)
        if problem["type"] == "missing":
            if meant := _meant(location):
                yield f"{path}:{line}: {'.'.join(keys)}: unknown; did you mean {meant}?"
                continue
            keys = [*keys, str(location[-1])]
        # an address is a secret: what was found of it is not told
        message = _in_words(problem | {"input": ...} if location[:1] == ("notices",) else problem)
        yield f"{path}:{line}: {'.'.join(keys)}: {message}"


def _place(tree: yaml.Node | None, location: tuple[Any, ...]) -> tuple[int, list[str]]:
    """The line of the deepest part of a location that stands in the file, and the keys to it.

    Pydantic puts names of union members between them, which no user has written.
    """
    node, line, keys = tree, 1, []
    for part in location:
        if isinstance(node, yaml.MappingNode):
            match = [(key, value) for key, value in node.value if key.value == str(part)]
            if match:
                line, node = match[0][0].start_mark.line + 1, match[0][1]
                keys.append(str(part))
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
            keys.append(str(part))
    return line, keys


def _meant(location: tuple[Any, ...]) -> str | None:
    """The name in rules.yml that a new one, of which something is missing, may be a slip of."""
    known: Any = {"scoring": read_default_rules()}
    *place, written = location[:-1] or ("",)
    for part in place:
        known = known.get(part, {}) if isinstance(known, dict) else {}
    return next(iter(get_close_matches(str(written), known, n=1)), None)


def _known_keys() -> list[str]:
    """Every key of every section."""
    schema = Configuration.model_json_schema()
    sections = [schema, *schema["$defs"].values()]
    return sorted({name for section in sections for name in section.get("properties", ())})


def _in_words(problem: Any) -> str:
    kind, given = problem["type"], problem.get("input")
    message = str(problem["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        if meant := get_close_matches(str(problem["loc"][-1]), _known_keys(), n=1, cutoff=0.75):
            return f"unknown key, did you mean {meant[0]!r}?"
        return "unknown key; see the commented file that `customer-health init` writes"
    if kind == "missing":
        return "missing; it must be given"
    if given is None:
        return "is empty; give it a value, or take the line away"
    if kind == "string_type" and isinstance(given, bool | int | float):
        message += ": write it in quotes"
    if kind == "list_type":
        message += ": write [a, b]"
    if isinstance(given, str | int | float | bool) and str(given) not in message:
        message += f" (found {given!r})"
    return message


def _repeated_key(node: yaml.Node | None) -> str | None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                return f"{key.start_mark.line + 1}: {key.value}: this key stands twice"
            seen.add(key.value)
            if found := _repeated_key(value):
                return found
    if isinstance(node, yaml.SequenceNode):
        for value in node.value:
            if found := _repeated_key(value):
                return found
    return None


def _line_of_address(tree: yaml.Node | None) -> int | None:
    """The line of an address that is written out under `notices:`, None where there is none."""
    if not isinstance(tree, yaml.MappingNode):
        return None
    sections = {key.value: value for key, value in tree.value}
    notices = sections.get("notices")
    for key, given in notices.value if isinstance(notices, yaml.MappingNode) else ():
        parts = given.value if isinstance(given.value, list) else [given]
        for part in parts if key.value != "of" else ():
            address = part[1] if isinstance(part, tuple) else part
            if "${" not in str(address.value):
                return int(address.start_mark.line) + 1
    return None


def _with_environment(value: Any, path: Path) -> Any:
    """Fill `${NAME}` from the environment: secrets never stand in the file."""
    if isinstance(value, dict):
        return {key: _with_environment(item, path) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_environment(item, path) for item in value]
    if not isinstance(value, str):
        return value

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise ConfigurationError(
                f"{path}:{_line_with(path, match.group())}: {match.group()} is not set in the "
                f"environment{_where_from(path, name)}"
            )
        return os.environ[name]

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", fill, value)


def _line_with(path: Path, wanted: str) -> int:
    """The first line, comments aside, that has a text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = (n for n, line in enumerate(lines, 1) if wanted in line.partition("#")[0])
    return next(found, 1)


def _where_from(path: Path, name: str) -> str:
    """What the file itself says of a variable, in a comment `# NAME: where it comes from`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"# {name}: "):
            return f": {line.removeprefix(f'# {name}: ')}"
    return ""
