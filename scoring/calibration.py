"""Is a probability what it says? score_calibration: predicted and observed losses by tenth."""

from __future__ import annotations

import numpy as np
import polars as pl

from scoring.config import ReportRules
from scoring.history import Floats
from scoring.judgement import Judged
from scoring.resampling import Resamples, interval_of_share, tidy

BINS = 10
CALIBRATION_SCHEMA: dict[str, pl.DataType] = {
    "method": pl.String(),
    "horizon_days": pl.Int64(),
    "bin": pl.Int64(),
    "n": pl.Int64(),
    "predicted": pl.Float64(),
    "observed": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}


def calibrate(
    judged: Judged, probability: Floats, method: str, resamples: Resamples, report: ReportRules
) -> pl.DataFrame:
    """score_calibration of one method: (method, horizon_days, bin; n, predicted, observed).

    Bins are tenths of the judged rows by probability, 1 the lowest; equal ones stay together.
    """
    p = probability[judged.places]
    rows = judged.rows.select("customer_id", "is_lost", p=pl.Series(p)).with_columns(
        bin=_tenth(pl.col("p"))
    )
    lost = rows["is_lost"].to_numpy().astype(float)
    bins = rows["bin"].to_numpy()
    listed = []
    for number in sorted(set(bins.tolist())):
        here = (bins == number).astype(float)
        drawn = resamples.draw(resamples.totals(rows["customer_id"], [here, here * lost]))
        n, lost_here = drawn[:, 0], drawn[:, 1]
        predicted, observed = tidy(p[bins == number].mean()), tidy(lost_here[0] / n[0])
        interval = interval_of_share(lost_here, n, report.confidence)
        figures = (int(n[0]), predicted, observed, *interval)
        listed.append((method, judged.horizon_days, number, *figures))
    return pl.DataFrame(listed, schema=CALIBRATION_SCHEMA, orient="row")


def measure_error(p: Floats, lost: Floats) -> float | None:
    """The mean distance between predicted and observed over tenths, weighed by customers."""
    tenths = (
        pl.DataFrame({"p": p, "lost": lost})
        .with_columns(bin=_tenth(pl.col("p")))
        .group_by("bin")
        .agg(n=pl.len(), distance=(pl.col("p").mean() - pl.col("lost").mean()).abs())
        .sort("bin")
    )
    if tenths.is_empty():
        return None
    return tidy(float(np.average(tenths["distance"].to_numpy(), weights=tenths["n"].to_numpy())))


def _tenth(value: pl.Expr) -> pl.Expr:
    """1 to 10 by rank, equals in one bin."""
    return ((value.rank("average") - 0.5) * BINS / pl.len()).floor().clip(0, BINS - 1).cast(
        pl.Int64
    ) + 1
