"""Two opinions of one night side by side: of whom they differ, and how good each of them is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from scoring.report_card import select_in_force

FIGURES = (
    "method",
    "n",
    "events",
    "auc",
    "auc_low",
    "auc_high",
    "precision_at_k",
    "precision_low",
    "precision_high",
    "recall_at_k",
    "recall_low",
    "recall_high",
    "flips_per_customer_year",
    "verdict",
)
STATE, BAND, SLOT = "usage state", "band", "slot"
WARNINGS = {"risk": "risk warning", "upsell": "upsell warning"}
SUBJECTS = (STATE, BAND, *WARNINGS.values(), SLOT)
SLOTS = {True: "this week", False: "waits"}


def list_differences(before: Path, after: Path) -> pl.DataFrame:
    """(subject, change, customer_id, before, after, arr), most ARR first within a change.

    `before`, `after`: folders of what was said of the same night, under other rules. One row per
    customer and subject (SUBJECTS) on which they differ; null: not said. A warning stands for its
    reasons, the leading one first. `arr`: company currency a year.
    """
    keys = ["subject", "customer_id"]
    one, other = _read_opinions(before), _read_opinions(after)
    arr = pl.concat([_read_arr(before), _read_arr(after)]).unique("customer_id", keep="first")
    is_new, is_gone = pl.col("before").is_null(), pl.col("after").is_null()
    was_and_is = (pl.col(side).fill_null("none") for side in ("before", "after"))
    # A warning that opens or closes is told once, not for its slot too.
    is_told = (pl.col("subject") != SLOT) | ~(is_new | is_gone)
    return (
        one.rename({"said": "before"})
        .join(other.rename({"said": "after"}), on=keys, how="full", coalesce=True)
        .filter(pl.col("before").ne_missing(pl.col("after")) & is_told)
        .with_columns(
            change=pl.when(~pl.col("subject").is_in(list(WARNINGS.values())))
            .then(pl.format("{} -> {}", *was_and_is))
            .when(is_new)
            .then(pl.lit("opened"))
            .when(is_gone)
            .then(pl.lit("closed"))
            .otherwise(pl.lit("other reasons"))
        )
        .join(arr, on="customer_id", how="left")
        .sort(
            pl.col("subject").cast(pl.Enum(SUBJECTS)),
            "change",
            "arr",
            "customer_id",
            descending=[False, False, True, False],
            nulls_last=True,
        )
        .select("subject", "change", "customer_id", "before", "after", "arr")
    )


def total_differences(differences: pl.DataFrame) -> pl.DataFrame:
    """(subject, change, customer_count, arr), in the order of the differences."""
    return differences.group_by("subject", "change", maintain_order=True).agg(
        customer_count=pl.len(), arr=pl.col("arr").sum()
    )


def read_figures(folder: Path, horizon_days: int) -> dict[str, Any]:
    """FIGURES of the report card: the method in force, over all customers."""
    card = pl.read_parquet(folder / "score_report_card.parquet")
    figures = select_in_force(card, horizon_days).select(FIGURES).row(0, named=True)
    return {"horizon_days": horizon_days, **figures}


def _read_opinions(folder: Path) -> pl.DataFrame:
    """(subject, customer_id, said) of everything that was said."""
    signals = pl.read_parquet(folder / "signals.parquet")
    scores = pl.read_parquet(folder / "health_scores.parquet")
    warnings = pl.read_parquet(folder / "churn_warnings.parquet").filter(
        pl.col("closed_on").is_null()
    )
    kind = pl.col("kind").replace_strict(WARNINGS, return_dtype=pl.String)
    reasons = pl.col("drivers").map_elements(_list_codes, return_dtype=pl.String)
    slot = pl.col("is_within_budget").replace_strict(SLOTS, return_dtype=pl.String)
    return pl.concat(
        [
            signals.select(subject=pl.lit(STATE), customer_id="customer_id", said="usage_state"),
            scores.select(subject=pl.lit(BAND), customer_id="customer_id", said="health_band"),
            warnings.select(subject=kind, customer_id="customer_id", said=reasons),
            warnings.filter(pl.col("kind") == "risk").select(
                subject=pl.lit(SLOT), customer_id="customer_id", said=slot
            ),
        ]
    )


def _read_arr(folder: Path) -> pl.DataFrame:
    signals = pl.read_parquet(folder / "signals.parquet")
    return signals.select("customer_id", pl.col("arr").cast(pl.Float64))


def _list_codes(drivers: str) -> str:
    return ", ".join(driver["code"] for driver in json.loads(drivers))
