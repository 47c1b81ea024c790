"""One component of the score, from its signals: a column expression each."""

from __future__ import annotations

import polars as pl

from scoring.config import ComponentRule, HealthRules, SignalRule


def component_columns(
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
    usable_weight = total_of([pl.when(usable[s]).then(r.weight) for s, r in signals.items()])
    measured_weight = total_of([pl.when(measured[s]).then(r.weight) for s, r in signals.items()])
    least = health.minimum_signal_share * whole - 1e-12
    is_applicable = (usable_weight >= least) & _applies(component)
    is_measured = is_applicable & (measured_weight >= least)
    points = total_of([pl.when(measured[s]).then(r.weight * scores[s]) for s, r in signals.items()])
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


def total_of(terms: list[pl.Expr]) -> pl.Expr:
    """The sum from left to right, null counting nothing: the same bits in every run."""
    total = pl.lit(0.0)
    for term in terms:
        total = total + term.fill_null(0.0)
    return total
