"""What each signal says alone: signal_cohorts, the rate of loss by tenth of its values."""

from __future__ import annotations

import numpy as np
import polars as pl

from scoring.config import ReportRules
from scoring.history import Floats
from scoring.resampling import Resamples, interval_of_share, quotient, tidy
from scoring.signals import CUSTOMER_SIGNALS

NOT_MEASURED = 0
TENTHS = np.arange(1, 11) / 10.0
NOT_SIGNALS = {"usage_stale_days", "crm_stale_days", "orders_stale_days"}
COHORTS_SCHEMA: dict[str, pl.DataType] = {
    "signal": pl.String(),
    "bin": pl.Int64(),
    "value_low": pl.Float64(),
    "value_high": pl.Float64(),
    "n": pl.Int64(),
    "loss_rate": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "drift": pl.Float64(),
}


def list_cohorts(
    past: pl.DataFrame, tonight: pl.DataFrame, resamples: Resamples, report: ReportRules
) -> pl.DataFrame:
    """signal_cohorts: (signal, bin).

    `past`: signals of past dates as known then, with is_lost; `tonight`: tonight's. Bins are tenths
    of the past values, equal values together; bin 0 is not measured. drift: the bin's share of
    tonight's customers less its share then.
    """
    if past.is_empty():
        return pl.DataFrame(schema=COHORTS_SCHEMA)
    lost = past["is_lost"].to_numpy().astype(float)
    cohorts, totals = [], []
    for signal in _measurable(past):
        then, now = _values(past, signal), _values(tonight, signal)
        if np.isnan(then).all():
            continue
        edges = np.unique(np.quantile(then[~np.isnan(then)], TENTHS, method="inverted_cdf"))
        bins, bins_now = _put_in_bins(then, edges), _put_in_bins(now, edges)
        for number in range(len(edges) + 1):
            here, here_now = bins == number, bins_now == number
            if here.any() or here_now.any():
                cohorts.append((signal, number, then[here], _drift(here, here_now)))
                columns = [here.astype(float), here * lost]
                totals.append(resamples.totals(past["customer_id"], columns))
    drawn = resamples.draw(np.hstack(totals)) if totals else np.zeros((1, 0))
    listed = []
    for place, (signal, number, values, drift) in enumerate(cohorts):
        n, lost_here = drawn[:, 2 * place], drawn[:, 2 * place + 1]
        rate = quotient(lost_here, n)[0]
        low, high = interval_of_share(lost_here, n, report.confidence)
        is_measured = number != NOT_MEASURED and values.size > 0
        listed.append(
            (
                signal,
                number,
                float(values.min()) if is_measured else None,
                float(values.max()) if is_measured else None,
                values.size,
                tidy(rate),
                low,
                high,
                drift,
            )
        )
    return pl.DataFrame(listed, schema=COHORTS_SCHEMA, orient="row")


def _measurable(past: pl.DataFrame) -> list[str]:
    """The signals that are numbers or yes and no."""
    kinds = ("integer", "number", "boolean", "money")
    return sorted(
        name
        for name, kind in CUSTOMER_SIGNALS.items()
        if kind in kinds and name in past.columns and name not in NOT_SIGNALS
    )


def _values(rows: pl.DataFrame, signal: str) -> Floats:
    values: Floats = rows[signal].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return values


def _put_in_bins(values: Floats, edges: Floats) -> np.ndarray:
    found = np.minimum(np.searchsorted(edges, values, side="left"), len(edges) - 1) + 1
    return np.where(np.isnan(values), NOT_MEASURED, found)


def _drift(then: np.ndarray, now: np.ndarray) -> float | None:
    return tidy(float(now.mean() - then.mean())) if now.size else None
