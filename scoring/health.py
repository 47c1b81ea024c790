"""Health scores: components of signals, 0 to 100, with coverage, bounds, bands and a reason.

Every step is a function of one row: the score of a customer does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from scoring.components import add_components, divide, total_of
from scoring.config import HealthRules, Language, Rules
from scoring.sentences import say_score, say_trend

TREND_DAYS = (7, 28, 90)

COMPONENT_COLUMNS = (
    "component_score",
    "weight",
    "contribution",
    "is_applicable",
    "is_measured",
    "stale_days",
    "signal",
    "value",
)


def score_customers(signals: pl.DataFrame, rules: Rules, connected: frozenset[str]) -> pl.DataFrame:
    """Scores and components side by side: the columns of `signals` and, per row,

    health_score (null when nothing is measured), coverage, score_low, score_high, and for every
    component `<component>.<column>` of COMPONENT_COLUMNS. Rows keep their number, sorted by
    (customer_id, as_of_date).
    """
    parts = [_score_by(rows, health, connected) for rows, health in split_by_rules(signals, rules)]
    return pl.concat(parts, how="diagonal").sort("customer_id", "as_of_date")


def list_components(scored: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """health_components: a row per customer, date and component; contributions sum to the score."""
    parts = []
    for order, component in enumerate(all_components(rules)):
        columns = [pl.col(f"{component}.{name}").alias(name) for name in COMPONENT_COLUMNS]
        parts.append(
            scored.select(
                "customer_id",
                "as_of_date",
                *columns,
                component=pl.lit(component),
                order=pl.lit(order),
            ).filter(pl.col("weight") > 0)
        )
    return (
        pl.concat(parts)
        .sort("customer_id", "as_of_date", "order")
        .select(
            "customer_id",
            "as_of_date",
            "component",
            "value",
            "component_score",
            "weight",
            "contribution",
            "is_applicable",
            "is_measured",
            "stale_days",
            "signal",
        )
    )


def nearest_date(wanted: date, dates: list[date], tolerance_days: int) -> date | None:
    """The date nearest to `wanted`, the earlier of two; None beyond the tolerance."""
    near = [d for d in dates if abs((d - wanted).days) <= tolerance_days]
    return min(near, key=lambda d: (abs((d - wanted).days), d), default=None)


def add_trend(
    scores: pl.DataFrame, days: int, said_then: pl.DataFrame, computed_then: pl.DataFrame
) -> pl.DataFrame:
    """Adds `trend_<days>d`: tonight's score less the one said then, else less the one computed.

    Both frames: (customer_id, health_score). Null where neither exists.
    """
    name = f"trend_{days}d"
    return (
        scores.join(
            said_then.select("customer_id", said_score="health_score"),
            on="customer_id",
            how="left",
            maintain_order="left",
        )
        .join(
            computed_then.select("customer_id", computed_score="health_score"),
            on="customer_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            (pl.col("health_score") - pl.coalesce("said_score", "computed_score")).alias(name)
        )
        .drop("said_score", "computed_score")
    )


def trend_dates(as_of_date: date) -> dict[int, date]:
    """The day each trend looks back to."""
    return {days: as_of_date - timedelta(days=days) for days in TREND_DAYS}


def add_reason(scores: pl.DataFrame, rules: Rules, language: Language) -> pl.DataFrame:
    """Adds `reason`: one sentence with the figures of the signals that cost the most points."""
    wording = rules.health.reason
    components = all_components(rules)
    sentences = []
    for row in scores.iter_rows(named=True):
        costs = [
            (row[f"{c}.cost"], -place, row[f"{c}.signal"])
            for place, c in enumerate(components)
            if (row[f"{c}.cost"] or 0.0) >= wording.minimum_points
        ]
        named = [signal for _, _, signal in sorted(costs, reverse=True)[: wording.most_signals]]
        sentences.append(
            say_score(
                row["health_score"],
                row["health_band"],
                row["coverage"],
                named,
                row=row,
                language=language,
            )
        )
    return scores.with_columns(reason=pl.Series(sentences, dtype=pl.String))


def add_trend_sentence(scores: pl.DataFrame, language: Language) -> pl.DataFrame:
    """Adds `trend_sentence`: what a week did to the score, and its reason; null for nothing."""
    sentences = [
        say_trend(points, reason, language)
        for points, reason in scores.select("trend_7d", "reason").iter_rows()
    ]
    return scores.with_columns(trend_sentence=pl.Series(sentences, dtype=pl.String))


def unconnected_components(rules: Rules, connected: frozenset[str]) -> dict[str, float]:
    """Components that no connected source can measure, with their weight in the default rules."""
    return {
        name: component.weight
        for name, component in rules.health.components.items()
        if component.weight > 0
        and not any(set(s.entities) & connected for s in component.signals.values())
    }


def signals_named(rules: Rules) -> set[str]:
    """The columns of customer_signals that the health rules name, over all segments."""
    names: set[str] = set()
    for health in [rules.health, *(rules.health_of(segment) for segment in rules.segments)]:
        for component in health.components.values():
            names |= set(component.signals) | {c.signal for c in component.applies_when}
    return names


def all_components(rules: Rules) -> list[str]:
    """The components that count in some segment, those of the default first."""
    names: dict[str, None] = {}
    for health in [rules.health, *(rules.health_of(segment) for segment in sorted(rules.segments))]:
        names.update({name: None for name, c in health.components.items() if c.weight > 0})
    return list(names)


def split_by_rules(rows: pl.DataFrame, rules: Rules) -> Iterator[tuple[pl.DataFrame, HealthRules]]:
    """The rows of each segment with rules of its own, then all others; every row once."""
    own = sorted(rules.segments)
    yield rows.filter(~pl.col("segment").is_in(own).fill_null(False)), rules.health
    for segment in own:
        yield rows.filter(pl.col("segment") == segment), rules.health_of(segment)


def _score_by(
    signals: pl.DataFrame, health: HealthRules, connected: frozenset[str]
) -> pl.DataFrame:
    scored = add_components(signals, health, connected)
    weights = {name: float(c.weight) for name, c in health.components.items() if c.weight > 0}
    scores = {n: pl.col(f"{n}.component_score") for n in weights}
    weighed = {"is_measured": "measured_weight", "is_applicable": "applicable_weight"}
    scored = scored.with_columns(
        *((w * scores[n]).alias(f"{n}.gained") for n, w in weights.items()),
        *((w * (100.0 - scores[n])).alias(f"{n}.lost") for n, w in weights.items()),
        *(
            total_of([pl.when(pl.col(f"{n}.{c}")).then(w) for n, w in weights.items()]).alias(name)
            for c, name in weighed.items()
        ),
        gained=total_of([w * scores[n] for n, w in weights.items()]),
    ).with_columns(open=pl.col("applicable_weight") - pl.col("measured_weight"))
    scored = divide(
        scored,
        {
            **{f"{n}.contribution": (f"{n}.gained", "measured_weight") for n in weights},
            **{f"{n}.cost": (f"{n}.lost", "measured_weight") for n in weights},
            "coverage": ("measured_weight", "applicable_weight"),
            "score_low": ("gained", "applicable_weight"),
            "open_share": ("open", "applicable_weight"),
        },
    )
    scored = scored.with_columns(
        *(pl.col(f"{n}.contribution").fill_null(0.0) for n in weights),
        score_high=(pl.col("score_low") + 100.0 * pl.col("open_share")).clip(0.0, 100.0),
    )
    total = total_of([pl.col(f"{n}.contribution") for n in weights])
    scored = scored.with_columns(
        health_score=pl.when(pl.col("measured_weight") > 0).then(total.clip(0.0, 100.0))
    )
    # Rounding must not put the score outside 0 to 100, nor outside its own bounds.
    return scored.with_columns(
        score_low=pl.min_horizontal("score_low", "health_score"),
        score_high=pl.max_horizontal("score_high", "health_score"),
    ).drop("measured_weight", "applicable_weight", "gained", "open", "open_share")
