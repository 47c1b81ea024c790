"""`datapackage.json` (Frictionless) and `manifest.json` of an export folder."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from exports.config import ExportsConfig
from exports.descriptions import Description
from exports.files import EXCEL_MOMENT, WrittenFile
from exports.private_file import Night
from exports.staging import StagedTable


def write_data_package(
    folder: Path,
    night: Night,
    *,
    tables: Iterable[StagedTable],
    files: Iterable[WrittenFile],
    descriptions: dict[str, Description],
    config: ExportsConfig,
) -> Path:
    """Writes `datapackage.json`: every CSV with type and description of every column, its key."""
    by_name = {file.name: file for file in files}
    resources = [
        _resource(
            table,
            by_name[f"{table.export.name}.csv"],
            descriptions.get(table.export.name, Description()),
            config,
        )
        for table in tables
    ]
    package = {
        "profile": "data-package",
        "name": "customer-health",
        "title": f"Customer health, {night.as_of_date}",
        "id": night.run_id,
        "version": night.as_of_date.isoformat(),
        "resources": resources,
    }
    return write_json(folder / "datapackage.json", package)


def write_manifest(
    folder: Path, night: Night, files: Iterable[WrittenFile], database: WrittenFile
) -> Path:
    """Writes `manifest.json`, the last file of the folder: what is in it, to the byte."""
    manifest = {
        "run_id": night.run_id,
        "as_of_date": night.as_of_date.isoformat(),
        "is_reconstructed": night.is_reconstructed,
        "code_version": night.code_version,
        "database": {
            "name": database.name,
            "bytes": database.bytes,
            "sha256": database.sha256,
        },
        "files": [_manifest_entry(file) for file in sorted(files, key=lambda file: file.name)],
    }
    return write_json(folder / "manifest.json", manifest)


def write_json(path: Path, content: Any) -> Path:
    """Writes readable JSON with LF and a final newline."""
    text = json.dumps(content, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path


def _manifest_entry(file: WrittenFile) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": file.name, "bytes": file.bytes, "sha256": file.sha256}
    if file.table is not None:
        entry |= {"table": file.table, "rows": file.rows}
    if file.name.endswith(".csv"):
        entry |= {
            "neutralised_count": file.neutralised_count,
            "is_whole": file.covers_from is None,
        }
        if file.covers_from is not None:
            entry["covers_from"] = file.covers_from.isoformat()
    return entry


def _resource(
    table: StagedTable, file: WrittenFile, description: Description, config: ExportsConfig
) -> dict[str, Any]:
    export = table.export
    schema: dict[str, Any] = {
        "fields": [
            {
                "name": name,
                "type": _frictionless_type(data_type),
                **(
                    {"format": EXCEL_MOMENT}
                    if config.csv_preset == "excel" and data_type == "TIMESTAMP WITH TIME ZONE"
                    else {}
                ),
                "description": description.column(name),
                # null keys are named in the export; a primary key alone would refuse them
                **(
                    {"constraints": {"required": True}}
                    if name in export.key and name not in export.nullable_key
                    else {}
                ),
            }
            for name, data_type in table.columns.items()
        ],
        "missingValues": [""],
    }
    if export.key and not export.nullable_key:
        schema["primaryKey"] = list(export.key)
    resource: dict[str, Any] = {
        "name": export.name,
        "path": file.name,
        "profile": "tabular-data-resource",
        "description": description.text,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8-sig" if config.has_byte_order_mark else "utf-8",
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
        "schema": schema,
    }
    if (table.path.parent / f"{export.name}.parquet").exists():
        resource["parquet"] = f"{export.name}.parquet"
    if export.nullable_key:
        resource["key"] = list(export.key)
    return resource


def _frictionless_type(data_type: str) -> str:
    if data_type.endswith("]"):
        return "array"
    if data_type.startswith(("STRUCT", "MAP")):
        return "object"
    if data_type.startswith("DECIMAL") or data_type in ("DOUBLE", "FLOAT"):
        return "number"
    if data_type in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT"):
        return "integer"
    return {"BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP WITH TIME ZONE": "datetime"}.get(
        data_type, "string"
    )
