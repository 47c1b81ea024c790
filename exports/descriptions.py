"""Descriptions of tables and columns, from dbt's manifest."""

import json
from dataclasses import dataclass, field
from pathlib import Path

RUN_ID_DESCRIPTION = "The night this row was published by (see `runs`)."


@dataclass(frozen=True)
class Description:
    """What one table and its columns mean; empty text where nobody has said it."""

    text: str = ""
    columns: dict[str, str] = field(default_factory=dict)

    def column(self, name: str) -> str:
        """The description of one column."""
        return self.columns.get(name) or (RUN_ID_DESCRIPTION if name == "run_id" else "")


def read_descriptions(manifest_path: Path) -> dict[str, Description]:
    """Table name to description. A model's words win over those of a source of the same name."""
    manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    models = [
        node
        for node in manifest.get("nodes", {}).values()
        if node.get("resource_type") in ("model", "seed", "snapshot")
    ]
    found: dict[str, Description] = {}
    for node in [*manifest.get("sources", {}).values(), *models]:
        columns = {
            name: _one_paragraph(column.get("description") or "")
            for name, column in node.get("columns", {}).items()
        }
        found[node["name"]] = Description(_one_paragraph(node.get("description") or ""), columns)
    return found


def _one_paragraph(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
