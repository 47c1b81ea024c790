"""Bands as they are said: red, yellow, green with hysteresis and confirmation, and `unknown`."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from scoring.config import HealthRules, Rules
from scoring.confirmation import confirm
from scoring.health import split_by_rules

UNKNOWN = "unknown"
BAND_SUBJECT = "band"


class Banded(NamedTuple):
    """Scores with the band said tonight, and the memory of bands that the next night needs."""

    scores: pl.DataFrame
    memory: pl.DataFrame


def say_bands(scored: pl.DataFrame, memory: pl.DataFrame, rules: Rules) -> Banded:
    """Adds health_band as said tonight.

    A customer's first band is said at once, a change after `confirmation_nights`. Under the minimum
    coverage the band is `unknown`; the one before is remembered and goes on from there.
    `memory` is the last night's (confirmation.MEMORY_SCHEMA).
    """
    before = memory.filter(pl.col("subject") == BAND_SUBJECT).drop("subject")
    seen = scored.select("customer_id", "segment", "health_score", "coverage").join(
        before, on="customer_id", how="left"
    )
    parts = [
        confirm(rows.with_columns(raw=_band_seen(health)), health.confirmation_nights).with_columns(
            health_band=pl.when(_is_covered(health)).then("said").otherwise(pl.lit(UNKNOWN))
        )
        for rows, health in split_by_rules(seen, rules)
    ]
    said = pl.concat(parts).sort("customer_id")
    scores = scored.join(
        said.select("customer_id", "health_band"),
        on="customer_id",
        how="left",
        maintain_order="left",
    )
    kept = said.filter(pl.col("said").is_not_null()).select(
        "customer_id", pl.lit(BAND_SUBJECT).alias("subject"), "said", "pending", "pending_nights"
    )
    return Banded(scores, kept)


def band_entered(health: HealthRules) -> pl.Expr:
    """The band of a score seen for the first time; `unknown` under the minimum coverage."""
    return (
        pl.when(~_is_covered(health))
        .then(pl.lit(UNKNOWN))
        .when(pl.col("health_score") < health.bands.red.enter)
        .then(pl.lit("red"))
        .when(pl.col("health_score") >= health.bands.green.enter)
        .then(pl.lit("green"))
        .otherwise(pl.lit("yellow"))
    )


def _is_covered(health: HealthRules) -> pl.Expr:
    return (pl.col("coverage") >= health.minimum_coverage - 1e-12).fill_null(False)


def _band_seen(health: HealthRules) -> pl.Expr:
    """Tonight's own band: where the score stands, seen from the band said before."""
    score, said = pl.col("health_score"), pl.col("said")
    red_below = pl.when(said == "red").then(health.bands.red.exit).otherwise(health.bands.red.enter)
    green_from = (
        pl.when(said == "green").then(health.bands.green.exit).otherwise(health.bands.green.enter)
    )
    return (
        pl.when(~_is_covered(health))
        .then(pl.lit(None, pl.String))
        .when(score < red_below)
        .then(pl.lit("red"))
        .when(score >= green_from)
        .then(pl.lit("green"))
        .otherwise(pl.lit("yellow"))
    )
