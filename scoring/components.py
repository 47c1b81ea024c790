"""The components of the score, each from its signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from scoring.config import ComponentRule, Feed, HealthRules, SignalRule


def add_components(
    signals: pl.DataFrame, health: HealthRules, connected: frozenset[str]
) -> pl.DataFrame:
    """Adds, per component that counts, `<component>.<column>`:

    component_score, weight, is_applicable, is_measured, stale_days, signal, value; and per signal
    `<component>/<signal>`, its own score. Contributions need the whole score: health.py.
    """
    components = {name: c for name, c in health.components.items() if c.weight > 0}
    # Step by step, so that no expression is spelled out within another one over and over.
    scored = signals.with_columns(
        _measured_score(signal, rule, health, connected).alias(f"{name}/{signal}")
        for name, component in components.items()
        for signal, rule in component.signals.items()
    )
    scored = scored.with_columns(
        expr.alias(f"{name}.{column}")
        for name, component in components.items()
        for column, expr in _first_columns(name, component, health, connected).items()
    )
    scored = scored.with_columns(
        expr.alias(f"{name}.{column}")
        for name, component in components.items()
        for column, expr in _measured_columns(name, component).items()
    )
    return divide(
        scored,
        {
            f"{name}.component_score": (f"{name}.points", f"{name}.measured_weight")
            for name in components
        },
    )


def divide(frame: pl.DataFrame, quotients: Mapping[str, tuple[str, str]]) -> pl.DataFrame:
    """Adds each quotient of two columns; null where one is null or the denominator is 0.

    Not left to polars: it divides a single row, or by a column of one value, by multiplying with
    the reciprocal, so that the last bit of a score would depend on the other customers.
    """
    columns = []
    for name, (numerator, denominator) in quotients.items():
        above, below = frame[numerator].to_numpy(), frame[denominator].to_numpy()
        nothing = np.full(len(above), np.nan)
        quotient = np.divide(above, below, out=nothing, where=np.nan_to_num(below) != 0)
        columns.append(pl.Series(name, quotient, dtype=pl.Float64).fill_nan(None))
    return frame.with_columns(columns)


def _first_columns(
    name: str, component: ComponentRule, health: HealthRules, connected: frozenset[str]
) -> dict[str, pl.Expr]:
    rules = component.signals
    usable = {s: _is_usable(rule, connected) for s, rule in rules.items()}
    measured = {s: pl.col(f"{name}/{s}").is_not_null() for s in rules}
    usable_weight = total_of([pl.when(usable[s]).then(r.weight) for s, r in rules.items()])
    measured_weight = total_of([pl.when(measured[s]).then(r.weight) for s, r in rules.items()])
    least = health.minimum_signal_share * sum(r.weight for r in rules.values()) - 1e-12
    is_applicable = (usable_weight >= least) & _applies(component)
    stale_days = pl.max_horizontal(
        pl.when(usable[s]).then(_stale_days(r.feed)) for s, r in rules.items()
    )
    return {
        "weight": pl.lit(float(component.weight)),
        "is_applicable": is_applicable,
        "is_measured": is_applicable & (measured_weight >= least),
        "measured_weight": measured_weight,
        "dearest": pl.max_horizontal(_costs(name, component).values()),
        "stale_days": pl.when(is_applicable).then(stale_days),
    }


def _measured_columns(name: str, component: ComponentRule) -> dict[str, pl.Expr]:
    rules = component.signals
    is_measured = pl.col(f"{name}.is_measured")
    points = total_of([r.weight * pl.col(f"{name}/{s}") for s, r in rules.items()])
    # The signal that explains the component: it costs the most points, the first of equals.
    is_dearest = {
        s: cost == pl.col(f"{name}.dearest") for s, cost in _costs(name, component).items()
    }
    deciding = pl.coalesce(pl.when(is_dearest[s]).then(pl.lit(s)) for s in rules)
    value = pl.coalesce(pl.when(is_dearest[s]).then(_signal_value(s, r)) for s, r in rules.items())
    return {
        "points": pl.when(is_measured).then(points),
        "signal": pl.when(is_measured).then(deciding),
        "value": pl.when(is_measured).then(value),
    }


def _costs(name: str, component: ComponentRule) -> dict[str, pl.Expr]:
    """What each measured signal takes from its component, in weighted points."""
    return {
        s: rule.weight * (100.0 - pl.col(f"{name}/{s}")) for s, rule in component.signals.items()
    }


def _measured_score(
    signal: str, rule: SignalRule, health: HealthRules, connected: frozenset[str]
) -> pl.Expr:
    is_measurable = _is_usable(rule, connected) & is_fresh(rule.feed, health)
    return pl.when(is_measurable).then(_signal_score(signal, rule))


def _signal_score(signal: str, rule: SignalRule) -> pl.Expr:
    """0 to 100, or null when not measured or a text the levels do not name."""
    if rule.levels is not None:
        return (
            pl.col(signal)
            .cast(pl.String)
            .replace_strict(rule.levels, default=None, return_dtype=pl.Float64)
        )
    assert rule.worst is not None and rule.best is not None
    # Multiplied, not divided: polars divides one row and many rows by a constant with other bits.
    points_per_unit = 100.0 / (rule.best - rule.worst)
    return ((pl.col(signal).cast(pl.Float64) - rule.worst) * points_per_unit).clip(0.0, 100.0)


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
    """One of the signal's entities is connected, and one of its feeds has ever delivered."""
    is_connected = not connected.isdisjoint(rule.entities)
    return pl.lit(is_connected) & _stale_days(rule.feed).is_not_null()


def is_fresh(feeds: Sequence[Feed], health: HealthRules) -> pl.Expr:
    """One of the feeds has ever delivered, and none that did is late."""
    return _stale_days(feeds).is_not_null() & pl.all_horizontal(
        (pl.col(f"{feed}_stale_days") <= health.stale_days[feed]).fill_null(True) for feed in feeds
    )


def _stale_days(feeds: Sequence[Feed]) -> pl.Expr:
    """The days of the feed that has been silent longest; null where none ever delivered."""
    return pl.max_horizontal(f"{feed}_stale_days" for feed in feeds)


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


def total_of(terms: list[pl.Expr]) -> pl.Expr:
    """The sum from left to right, null counting nothing: the same bits in every run."""
    total = pl.lit(0.0)
    for term in terms:
        total = total + term.fill_null(0.0)
    return total
