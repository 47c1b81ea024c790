"""Why a score is not what it was: health_changes, exact parts of the change since the last night.

Each part is the difference of two scores that follow one another: last night as said; its inputs
under tonight's rules and segment; last night's date as known tonight; the same with tonight's
measured set; tonight, component by component.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from scoring.components import divide, total_of
from scoring.config import Language, Rules
from scoring.health import all_components, score_customers, signals_named
from scoring.sentences import say_change, say_component_change

RULES, LATE_DATA, MEASURED = "rules", "late_data", "measured"
STEPS = (RULES, LATE_DATA, MEASURED)
# Less than this is rounding, not a part: eleven of them stay within 1e-9.
ROUNDING = 1e-11

CHANGES_SCHEMA: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    "as_of_date": pl.Date(),
    "part": pl.String(),
    "delta": pl.Float64(),
    "sentence": pl.String(),
}


class LastNight(NamedTuple):
    """The last night said: its date, scores, inputs (customer_signals) and connected entities."""

    as_of_date: date
    scores: pl.DataFrame
    inputs: pl.DataFrame
    connected: frozenset[str]


def list_changes(
    scored: pl.DataFrame,
    last: LastNight | None,
    known_tonight: pl.DataFrame,
    rules: Rules,
    language: Language,
) -> pl.DataFrame:
    """health_changes: (customer_id, as_of_date, part; delta, sentence), parts that are not 0.

    `scored`: tonight, by health.score_customers; `known_tonight`: customer_signals of the last
    night's date as known tonight. For customers with a score on both nights the parts sum to its
    change; where a step in between measures nothing, it counts as no step.
    """
    if last is None or scored.is_empty():
        return pl.DataFrame(schema=CHANGES_SCHEMA)
    columns = [name for name in last.inputs.columns if name in scored.columns]
    told = sorted({*columns, *signals_named(rules), "currency"} - {"customer_id"})
    inputs = _score_again(last.inputs, scored, rules, last.connected)
    late = _score_again(known_tonight, scored, rules, last.connected)
    # A customer that last night's date no longer knows stays as it was said.
    late = pl.concat([late, inputs.join(late, on="customer_id", how="anti")], how="diagonal")
    steps = _walk(scored, last.scores, inputs, late, rules)
    before = _rows_by_customer(late, told)
    now = _rows_by_customer(scored, told)
    segments = dict(last.inputs.select("customer_id", "segment").iter_rows())

    listed = []
    for row in steps.iter_rows(named=True):
        customer_id = row["customer_id"]
        for part, delta in _parts(row, rules):
            if part in STEPS:
                then = segments.get(customer_id)
                sentence = _say_step(part, row, last.as_of_date, then, language)
            else:
                sentence = say_component_change(
                    part,
                    row[f"{part}.changed"],
                    delta,
                    before=before[customer_id],
                    now=now[customer_id],
                    language=language,
                )
            listed.append((customer_id, row["as_of_date"], part, delta, sentence))
    return pl.DataFrame(listed, schema=CHANGES_SCHEMA, orient="row")


def _score_again(
    inputs: pl.DataFrame, scored: pl.DataFrame, rules: Rules, connected: frozenset[str]
) -> pl.DataFrame:
    """Inputs of another time under tonight's rules and the customers' segments of tonight."""
    missing = [
        pl.lit(None, scored.schema[name]).alias(name)
        for name in sorted(signals_named(rules))
        if name not in inputs.columns and name in scored.columns
    ]
    rows = (
        inputs.with_columns(missing)
        .drop("segment")
        .join(scored.select("customer_id", "segment"), on="customer_id", how="inner")
    )
    return score_customers(rows, rules, connected)


def _walk(
    scored: pl.DataFrame,
    said: pl.DataFrame,
    inputs: pl.DataFrame,
    late: pl.DataFrame,
    rules: Rules,
) -> pl.DataFrame:
    """A row per customer with a score on both nights: the scores of the walk and `<c>.delta`."""
    components = all_components(rules)
    now, then = scored.select(_walked(scored, components)), late.select(_walked(late, components))
    walk = (
        now.join(said.select("customer_id", said="health_score"), on="customer_id", how="inner")
        .join(
            inputs.select("customer_id", ruled="health_score"),
            on="customer_id",
            how="left",
            maintain_order="left",
        )
        .join(then, on="customer_id", how="left", suffix=" then", maintain_order="left")
        .filter(pl.col("health_score").is_not_null() & pl.col("said").is_not_null())
        .with_columns(ruled=pl.coalesce("ruled", "said"))
        .with_columns(late=pl.coalesce("health_score then", "ruled"))
    )
    weight = {
        c: pl.when(pl.col(f"{c}.is_measured")).then(pl.col(f"{c}.weight")).fill_null(0.0)
        for c in components
    }
    score_now = {c: pl.col(f"{c}.component_score") for c in components}
    score_then = {
        c: pl.coalesce(f"{c}.component_score then", f"{c}.component_score") for c in components
    }
    walk = walk.with_columns(
        *((weight[c] * (score_now[c] - score_then[c])).alias(f"{c}.moved") for c in components),
        *(_changed_signal(c, walk.columns).alias(f"{c}.changed") for c in components),
        gained=total_of([weight[c] * score_then[c] for c in components]),
        measured_weight=total_of(list(weight.values())),
    )
    quotients = {f"{c}.delta": (f"{c}.moved", "measured_weight") for c in components}
    return divide(walk, {**quotients, "measured": ("gained", "measured_weight")}).sort(
        "customer_id"
    )


def _walked(frame: pl.DataFrame, components: list[str]) -> list[str]:
    signals = [n for n in frame.columns if n.split("/")[0] in components and "/" in n]
    parts = [
        f"{c}.{name}" for c in components for name in ("component_score", "weight", "is_measured")
    ]
    kept = ["customer_id", "as_of_date", "segment", "health_score", *parts, *signals]
    return [name for name in kept if name in frame.columns]


def _changed_signal(component: str, columns: list[str]) -> pl.Expr:
    """The signal whose own score moved most, the first of equals; null where none did."""
    signals = [n for n in columns if n.startswith(f"{component}/") and f"{n} then" in columns]
    if not signals:
        return pl.lit(None, pl.String)
    moved = {n: (pl.col(n) - pl.col(f"{n} then")).abs().fill_null(0.0) for n in signals}
    most = pl.max_horizontal(moved.values())
    return pl.coalesce(
        pl.when((size == most) & (most > 0)).then(pl.lit(name.split("/")[1]))
        for name, size in moved.items()
    )


def _parts(row: Mapping[str, Any], rules: Rules) -> Iterator[tuple[str, float]]:
    """The parts of one customer in their order, without those that are 0."""
    steps = {
        RULES: row["ruled"] - row["said"],
        LATE_DATA: row["late"] - row["ruled"],
        MEASURED: row["measured"] - row["late"],
    }
    moved = {c: row[f"{c}.delta"] or 0.0 for c in all_components(rules)}
    return ((part, delta) for part, delta in {**steps, **moved}.items() if abs(delta) > ROUNDING)


def _say_step(
    part: str, row: Mapping[str, Any], day: date, segment_before: str | None, language: Language
) -> str:
    if part == RULES:
        is_moved = row["segment"] != segment_before
        figures = {"segment": row["segment"], "segment_before": segment_before}
        key = "change_segment" if is_moved else "change_rules"
        return say_change(key, row["said"], row["ruled"], {"day": day, **figures}, language)
    if part == LATE_DATA:
        return say_change("change_late_data", row["ruled"], row["late"], {"day": day}, language)
    names = [n.removesuffix(".is_measured") for n in row if n.endswith(".is_measured")]
    is_now = {c for c in names if row[f"{c}.is_measured"]}
    was = {c for c in names if row.get(f"{c}.is_measured then")}
    sets = {"newly_measured": sorted(is_now - was), "no_longer_measured": sorted(was - is_now)}
    return say_change("change_measured", row["late"], row["measured"], sets, language)


def _rows_by_customer(frame: pl.DataFrame, columns: list[str]) -> dict[str, dict[str, Any]]:
    there = [name for name in columns if name in frame.columns]
    rows = frame.select("customer_id", *there).iter_rows(named=True)
    return {row["customer_id"]: row for row in rows}
