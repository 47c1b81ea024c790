"""What `customer-health init` writes: a commented configuration, its JSON Schema, an inbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from dagster_project.config import Configuration, ConfigurationError
from dagster_project.settings import DEFAULT_TIERS, Company, Definitions
from exports.config import ExportsConfig
from exports.notices import NoticesConfig
from ingest.documentation import sources_template
from scoring.config import RULES_FILE

CONFIG_NAME = "customer_health.yml"
SCHEMA_NAME = "customer_health.schema.json"
INBOX = ("crm", "orders", "logins")

HEADER = f"""\
# yaml-language-server: $schema={SCHEMA_NAME}
#
# Everything your company decides stands here. A line that begins with `#` shows a default and what
# it means: take the `#` away, and that of its heading, to change it.
# Try it with `customer-health check`, then run `customer-health nightly`.
"""


def write_company_folder(folder: Path) -> list[Path]:
    """Make a new company folder; raises ConfigurationError when one is there already."""
    config = folder / CONFIG_NAME
    if config.exists():
        raise ConfigurationError(f"{config}: exists already; choose another folder")
    for part in INBOX:
        (folder / "inbox" / part).mkdir(parents=True, exist_ok=True)
    config.write_text(configuration_text(), encoding="utf-8")
    schema = folder / SCHEMA_NAME
    schema.write_text(schema_text(), encoding="utf-8")
    return [config, schema, folder / "inbox"]


def schema_text() -> str:
    """JSON Schema of the configuration, for editors."""
    return json.dumps(Configuration.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def configuration_text() -> str:
    """The commented file: company and sources to fill in, every default with its meaning."""
    top = {name: Configuration.model_fields[name] for name in ("as_of", "memory_limit")}
    parts = [
        HEADER,
        "company:\n" + "".join(_active(Company)),
        "".join(_commented(name, field, "") for name, field in top.items()),
        sources_template(),
        *(
            f"# {name}:\n" + "".join(_section_lines(section, "#   "))
            for name, section in _sections()
        ),
        "# tiers:                   # by ARR; the first that fits\n"
        + "".join(f"#   - {_flow(tier.model_dump())}\n" for tier in DEFAULT_TIERS),
        "# icp:                     # the ideal customer, as {column: industry, values: [retail]}\n"
        "#   []                     # or {column: employee_count, at_least: 50, at_most: 500}\n",
        "# exports:\n" + "".join(_section_lines(ExportsConfig, "#   ")),
        "# notices:\n" + "".join(_section_lines(NoticesConfig, "#   ")),
        "# scoring:\n" + "".join(_indented(RULES_FILE.read_text(encoding="utf-8"), "#   ")),
    ]
    return "\n".join(parts)


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in Definitions.model_fields.items():
        section = field.annotation
        if name != "company" and isinstance(section, type) and issubclass(section, BaseModel):
            yield name, section


def _active(section: type[BaseModel]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield f"  {f'{name}: {_flow(_default(field))}':<40} # {field.description}\n"


def _section_lines(section: type[BaseModel], indent: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield _commented(name, field, indent)


def _commented(name: str, field: FieldInfo, indent: str) -> str:
    line = f"{indent or '# '}{name}: {_flow(_default(field))}"
    return f"{line:<42} # {field.description}\n"


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True)


def _flow(value: Any) -> str:
    text = yaml.safe_dump(
        to_jsonable_python(value), default_flow_style=True, allow_unicode=True, width=1000
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _indented(text: str, indent: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"{indent}{line}".rstrip() + "\n"
