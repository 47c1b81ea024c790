"""Reads the raw files of a sample company under canonical names."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sample_company.deliveries import DELIVERIES


def newest(folder: Path, entity: str) -> list[dict[str, str | None]]:
    """Rows of an entity under canonical names: of each key the newest good version."""
    delivery = next(delivery for delivery in DELIVERIES if delivery.entity == entity)
    bad = pl.read_csv(folder / "truth/bad_rows.csv").select("file", "line").rows()
    back = {own: name for name, own in delivery.names.items()}
    rows: dict[tuple[str | None, ...], dict[str, str | None]] = {}
    stem = f"{delivery.source}/{delivery.stem}-2*"
    for path in sorted((folder / "inbox").glob(f"{stem}.{delivery.format}")):
        name = str(path.relative_to(folder / "inbox"))
        if delivery.format == "csv":
            frame = pl.read_csv(path, infer_schema=False)
        else:
            frame = pl.read_ndjson(path, infer_schema_length=None).cast(pl.String)
        first = 2 if delivery.format == "csv" else 1
        for line, row in enumerate(frame.to_dicts(), start=first):
            if (name, line) not in bad:
                named = {back.get(key, key): value for key, value in row.items()}
                rows[tuple(named[key] for key in delivery.key)] = named
    return list(rows.values())


def story_customers(folder: Path, story: str) -> list[str]:
    stories = pl.read_csv(folder / "truth/stories.csv")
    return stories.filter(pl.col("story") == story)["customer_id"].to_list()
