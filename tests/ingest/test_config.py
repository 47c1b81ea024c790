"""The sources section: what is wrong is said with its key, and what is right is resolved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from ingest.config import EntityMapping, SourcesConfig
from ingest.contracts import ENTITIES
from ingest.documentation import inputs_page, sources_template


def sources(**changes: Any) -> dict[str, Any]:
    source = {"format": "csv", "location": "in", "entities": {"customers": {"files": "c*"}}}
    return {"crm": {**source, **changes}}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"formt": "csv"}, "crm.formt"),
        ({"format": "xls"}, "crm.format"),
        ({"zone": "Mars/Base"}, "unknown time zone 'Mars/Base'"),
        ({"delimiter": ";;"}, "crm.delimiter Value error, must be one character"),
        ({"encoding": "klingon"}, "unknown encoding 'klingon'"),
        ({"delivered_on_pattern": "x"}, "exactly one group"),
        ({"entities": {"customer": {"files": "c"}}}, "did you mean 'customers'?"),
        (
            {"entities": {"customers": {"files": "c", "columns": {"nmae": "n"}}}},
            "customers has no column 'nmae', did you mean 'name'?",
        ),
        ({"entities": {"customers": {"files": "c", "columns": {"name": {"sq": "1"}}}}}, "name"),
        (
            {"entities": {"customers": {"files": "c", "columns": {"name": {"sql": "1 +"}}}}},
            "not an SQL expression",
        ),
        (
            {"entities": {"products": {"files": "p", "attributes": []}}},
            "only customers keep attributes",
        ),
        ({"entities": {}}, "entities"),
        ({"limits": {"max_bad_share": 2}}, "max_bad_share"),
    ],
)
def test_a_mistake_is_named_with_its_place(changes: dict[str, Any], place: str) -> None:
    assert place in mistakes(sources(**changes))


def mistakes(written: dict[str, Any]) -> str:
    # Not by pytest.raises: it would hold pydantic's error beyond the end of the process.
    try:
        SourcesConfig.model_validate(written)
    except ValidationError as error:
        return "; ".join(
            ".".join(map(str, each["loc"])) + " " + each["msg"] for each in error.errors()
        )
    return "none"


def test_locations_are_relative_to_the_configuration(tmp_path: Path) -> None:
    config = SourcesConfig.model_validate(
        {**sources(), "s3": {**sources()["crm"], "location": "s3://bucket/in"}}
    ).resolved(tmp_path)
    assert config.root["crm"].location == str(tmp_path / "in")
    assert config.root["s3"].location == "s3://bucket/in"


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    config = SourcesConfig.model_validate(sources(storage_options={"key": "${DOOR_KEY}"}))
    with pytest.raises(ValueError, match="DOOR_KEY"):
        config.root["crm"].options()
    monkeypatch.setenv("DOOR_KEY", "abc")
    assert config.root["crm"].options() == {"key": "abc"}


def test_the_template_is_a_valid_section_and_names_every_option() -> None:
    text = sources_template()
    section = yaml.safe_load(text)["sources"]
    config = SourcesConfig.model_validate(section)
    for model in (type(config.root["crm"]), type(config.root["crm"].limits)):
        for option in model.model_fields:
            assert option in text
    bare = "\n".join(
        line.replace("# ", "", 1) if ": " in line else line for line in text.split("\n")
    )
    for option in EntityMapping.model_fields:
        assert f"        {option}:" in bare, option


def test_the_page_of_inputs_names_every_entity_and_column() -> None:
    page = inputs_page()
    for entity in ENTITIES.values():
        assert f"### {entity.name}\n" in page
        for column in entity.columns:
            assert f"| {column.name}{'*' if column.is_required else ''} |" in page
