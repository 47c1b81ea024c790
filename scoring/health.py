"""Health scores: components of signals, 0 to 100, with coverage, bounds, bands and a reason.

Every step is a function of one row: the score of a customer does not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from scoring.config import ComponentRule, HealthRules, Language, Rules, SignalRule
from scoring.confirmation import confirm
from scoring.sentences import say_score

UNKNOWN = "unknown"
BAND_SUBJECT = "band"
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


class Banded(NamedTuple):
    """Scores with the band said tonight, and the memory of bands that the next night needs."""

    scores: pl.DataFrame
    memory: pl.DataFrame


def score_customers(signals: pl.DataFrame, rules: Rules, connected: frozenset[str]) -> pl.DataFrame:
    """Scores and components side by side: the columns of `signals` and, per row,

    health_score (null when nothing is measured), coverage, score_low, score_high, and for every
    component `<component>.<column>` of COMPONENT_COLUMNS. Rows keep their number, sorted by
    (customer_id, as_of_date).
    """
    parts = [_score_by(rows, health, connected) for rows, health in _split_by_rules(signals, rules)]
    return pl.concat(parts, how="diagonal").sort("customer_id", "as_of_date")


def list_components(scored: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """health_components: a row per customer, date and component; contributions sum to the score."""
    parts = []
    for order, component in enumerate(_all_components(rules)):
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


def say_bands(scored: pl.DataFrame, memory: pl.DataFrame, rules: Rules) -> Banded:
    """Adds health_band as said tonight.

    The first band of a customer, and every change to or from `unknown`, is said at once; any other
    change after `confirmation_nights`. `memory` is the last night's (confirmation.MEMORY_SCHEMA).
    """
    before = memory.filter(pl.col("subject") == BAND_SUBJECT).drop("subject")
    # A night without a band has none to defend.
    before = before.with_columns(said=pl.when(pl.col("said") != UNKNOWN).then("said"))
    seen = scored.select("customer_id", "segment", "health_score", "coverage").join(
        before, on="customer_id", how="left"
    )
    parts = [
        confirm(rows.with_columns(raw=_band_seen(health)), health.confirmation_nights).with_columns(
            said=pl.when(_is_covered(health)).then("said").otherwise(pl.lit(UNKNOWN)),
            pending=pl.when(_is_covered(health)).then("pending"),
            pending_nights=pl.when(_is_covered(health)).then("pending_nights").otherwise(0),
        )
        for rows, health in _split_by_rules(seen, rules)
    ]
    said = pl.concat(parts).sort("customer_id")
    scores = scored.join(
        said.select("customer_id", health_band="said"),
        on="customer_id",
        how="left",
        maintain_order="left",
    )
    kept = said.select(
        "customer_id", pl.lit(BAND_SUBJECT).alias("subject"), "said", "pending", "pending_nights"
    )
    return Banded(scores, kept)


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
    components = _all_components(rules)
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
                row["health_score"], row["health_band"], row["coverage"], named, row, language
            )
        )
    return scores.with_columns(reason=pl.Series(sentences, dtype=pl.String))


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


def _all_components(rules: Rules) -> list[str]:
    """The components of every segment, those of the default first."""
    names = dict.fromkeys(rules.health.components)
    for segment in sorted(rules.segments):
        names.update(dict.fromkeys(rules.health_of(segment).components))
    return list(names)


def _split_by_rules(rows: pl.DataFrame, rules: Rules) -> Iterator[tuple[pl.DataFrame, HealthRules]]:
    """The rows of each segment with rules of its own, then all others; every row once."""
    own = sorted(rules.segments)
    yield rows.filter(~pl.col("segment").is_in(own).fill_null(False)), rules.health
    for segment in own:
        yield rows.filter(pl.col("segment") == segment), rules.health_of(segment)


def _score_by(
    signals: pl.DataFrame, health: HealthRules, connected: frozenset[str]
) -> pl.DataFrame:
    components = {name: c for name, c in health.components.items() if c.weight > 0}
    scored = signals.with_columns(
        expr
        for name, component in components.items()
        for expr in _component_columns(name, component, health, connected)
    )
    weights = {name: pl.lit(float(c.weight)) for name, c in components.items()}
    measured = {name: pl.col(f"{name}.is_measured") for name in components}
    measured_weight = _total([pl.when(measured[n]).then(weights[n]) for n in components])
    applicable_weight = _total(
        [pl.when(pl.col(f"{n}.is_applicable")).then(weights[n]) for n in components]
    )
    points = {
        n: pl.when(measured[n]).then(weights[n] * pl.col(f"{n}.component_score"))
        for n in components
    }
    any_measured, any_applicable = measured_weight > 0, applicable_weight > 0
    low = _total(list(points.values())) / applicable_weight
    unmeasured_share = (applicable_weight - measured_weight) / applicable_weight
    scored = scored.with_columns(
        *(
            pl.when(any_measured & measured[n])
            .then(points[n] / measured_weight)
            .otherwise(0.0)
            .alias(f"{n}.contribution")
            for n in components
        ),
        *(
            pl.when(any_measured & measured[n])
            .then(weights[n] * (100.0 - pl.col(f"{n}.component_score")) / measured_weight)
            .alias(f"{n}.cost")
            for n in components
        ),
        coverage=pl.when(any_applicable).then(measured_weight / applicable_weight),
        score_low=pl.when(any_applicable).then(low),
        score_high=pl.when(any_applicable).then(low + 100.0 * unmeasured_share),
    )
    total = _total([pl.col(f"{n}.contribution") for n in components])
    scored = scored.with_columns(health_score=pl.when(any_measured).then(total))
    # Rounding must not put the score outside its own bounds.
    return scored.with_columns(
        score_low=pl.min_horizontal("score_low", "health_score"),
        score_high=pl.max_horizontal("score_high", "health_score"),
    )


def _component_columns(
    name: str, component: ComponentRule, health: HealthRules, connected: frozenset[str]
) -> list[pl.Expr]:
    """The columns of one component but its contribution, which needs the whole score."""
    signals = component.signals
    usable = {s: _is_usable(rule, connected) for s, rule in signals.items()}
    scores = {s: _signal_score(s, rule) for s, rule in signals.items()}
    measured = {
        s: usable[s] & scores[s].is_not_null() & _is_fresh(rule, health)
        for s, rule in signals.items()
    }
    whole = sum(rule.weight for rule in signals.values())
    usable_weight = _total([pl.when(usable[s]).then(r.weight) for s, r in signals.items()])
    measured_weight = _total([pl.when(measured[s]).then(r.weight) for s, r in signals.items()])
    least = health.minimum_signal_share * whole - 1e-12
    is_applicable = (usable_weight >= least) & _applies(component)
    is_measured = is_applicable & (measured_weight >= least)
    points = _total([pl.when(measured[s]).then(r.weight * scores[s]) for s, r in signals.items()])
    costs = {
        s: pl.when(measured[s]).then(r.weight * (100.0 - scores[s])) for s, r in signals.items()
    }
    dearest = pl.max_horizontal(costs.values())
    # The signal that explains the component: it costs the most points, the first of equals.
    deciding = pl.coalesce(pl.when(costs[s] == dearest).then(pl.lit(s)) for s in signals)
    values = pl.coalesce(
        pl.when(costs[s] == dearest).then(_signal_value(s, r)) for s, r in signals.items()
    )
    stale = pl.max_horizontal(
        pl.when(usable[s]).then(pl.col(f"{r.feed}_stale_days")) for s, r in signals.items()
    )
    columns = {
        "component_score": pl.when(is_measured).then(points / measured_weight),
        "weight": pl.lit(float(component.weight)),
        "is_applicable": is_applicable,
        "is_measured": is_measured,
        "stale_days": pl.when(is_applicable).then(stale),
        "signal": pl.when(is_measured).then(deciding),
        "value": pl.when(is_measured).then(values),
    }
    return [expr.alias(f"{name}.{column}") for column, expr in columns.items()]


def _signal_score(signal: str, rule: SignalRule) -> pl.Expr:
    """0 to 100, or null when not measured or a text the levels do not name."""
    if rule.levels is not None:
        return (
            pl.col(signal)
            .cast(pl.String)
            .replace_strict(rule.levels, default=None, return_dtype=pl.Float64)
        )
    assert rule.worst is not None and rule.best is not None
    share = (pl.col(signal).cast(pl.Float64) - rule.worst) / (rule.best - rule.worst)
    return (100.0 * share).clip(0.0, 100.0)


def _signal_value(signal: str, rule: SignalRule) -> pl.Expr:
    """The figure behind the score; yes is 1, no is 0, other texts have none."""
    if rule.levels is None:
        return pl.col(signal).cast(pl.Float64)
    yes_or_no = {"true": 1.0, "false": 0.0}
    return (
        pl.col(signal)
        .cast(pl.String)
        .replace_strict(yes_or_no, default=None, return_dtype=pl.Float64)
    )


def _is_usable(rule: SignalRule, connected: frozenset[str]) -> pl.Expr:
    """One of the signal's entities is connected, and its feed has ever delivered."""
    is_connected = not connected.isdisjoint(rule.entities)
    return pl.lit(is_connected) & pl.col(f"{rule.feed}_stale_days").is_not_null()


def _is_fresh(rule: SignalRule, health: HealthRules) -> pl.Expr:
    stale_days = pl.col(f"{rule.feed}_stale_days")
    return (stale_days <= health.stale_days[rule.feed]).fill_null(False)


def _applies(component: ComponentRule) -> pl.Expr:
    if not component.applies_when:
        return pl.lit(True)
    return pl.any_horizontal(
        pl.col(c.signal)
        .is_between(
            c.at_least if c.at_least is not None else float("-inf"),
            c.at_most if c.at_most is not None else float("inf"),
        )
        .fill_null(False)
        for c in component.applies_when
    )


def _total(terms: list[pl.Expr]) -> pl.Expr:
    """The sum from left to right, null counting nothing: the same bits in every run."""
    total = pl.lit(0.0)
    for term in terms:
        total = total + term.fill_null(0.0)
    return total


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
