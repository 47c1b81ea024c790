"""Signals of past dates that are no longer what their night was told: signal_restatements.

The rows of a past date hold only what was known on it, so they never change, but for new code and
merged customers. A signal that does change looks ahead, and a report card that uses it is too good.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from scoring.resampling import DIGITS

RESTATEMENTS_SCHEMA: dict[str, pl.DataType] = {
    "signal": pl.String(),
    "compared_count": pl.Int64(),
    "changed_count": pl.Int64(),
    "changed_share": pl.Float64(),
}
KEY = ("customer_id", "as_of_date")
NEARLY = 1e-9


def list_restatements(said: Sequence[pl.DataFrame], now: pl.DataFrame) -> pl.DataFrame:
    """A row per signal: customers and dates compared, and how many values are others today.

    `said`: customer_signals as nights kept them; `now`: the same dates as tonight's tables have
    them. Signals that past dates never have are left out.
    """
    counted = [
        (signal, joined.height, int(joined.select(_differs(signal, joined)).to_series().sum()))
        for joined, signals in _join(said, now)
        for signal in signals
    ]
    schema = {n: RESTATEMENTS_SCHEMA[n] for n in ("signal", "compared_count", "changed_count")}
    return (
        pl.DataFrame(counted, schema=schema, orient="row")
        .group_by("signal")
        .agg(pl.all().sum())
        .with_columns(
            changed_share=(pl.col("changed_count") / pl.col("compared_count")).round(DIGITS)
        )
        .sort("signal")
    )


def _join(said: Sequence[pl.DataFrame], now: pl.DataFrame) -> list[tuple[pl.DataFrame, list[str]]]:
    kept_back = {name for name in now.columns if now[name].null_count() == now.height}
    joined = []
    for then in said:
        both = [n for n in then.columns if n in now.columns]
        signals = [n for n in both if n not in (*KEY, "known_on") and n not in kept_back]
        pairs = then.select(*KEY, *signals).join(now, on=KEY, suffix=" now")
        if pairs.height:
            joined.append((pairs, signals))
    return joined


def _differs(signal: str, joined: pl.DataFrame) -> pl.Expr:
    then, now = pl.col(signal), pl.col(f"{signal} now")
    if joined.schema[signal].is_numeric():
        then, now = then.cast(pl.Float64), now.cast(pl.Float64)
        is_other = (then - now).abs() > NEARLY * (1.0 + then.abs())
        return (
            pl.when(then.is_null() | now.is_null())
            .then(then.is_null() != now.is_null())
            .otherwise(is_other)
        )
    return then.ne_missing(now)
