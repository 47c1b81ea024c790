"""Resampling of customers: how often each is drawn, the same draws for all that is compared."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import polars as pl

SEED = 20_221_122
DIGITS = 6


class Resamples:
    """Draws of customers with replacement; a statistic is a quotient of sums over customers."""

    def __init__(self, customer_ids: pl.Series, count: int) -> None:
        """`customer_ids`: everybody there is, once."""
        self.customer_ids = customer_ids.unique().sort()
        size = len(self.customer_ids)
        dice = np.random.default_rng(SEED)
        self.draws = np.ones((1, size))
        if size:
            drawn = [
                np.bincount(dice.integers(size, size=size), minlength=size) for _ in range(count)
            ]
            # The first row is everybody once: the statistic itself.
            self.draws = np.vstack([self.draws, *drawn])

    def totals(self, customer_ids: pl.Series, columns: list[np.ndarray]) -> np.ndarray:
        """Sums of columns over the rows of each customer: (customers, columns)."""
        codes = np.asarray(self.customer_ids.search_sorted(customer_ids), dtype=np.int64)
        size = len(self.customer_ids)
        return np.stack([np.bincount(codes, column, size) for column in columns], axis=1)

    def draw(self, totals: np.ndarray) -> np.ndarray:
        """The sum over all customers, per draw: (1 + draws, columns).

        One product for many statistics: small ones keep the machine waiting for its threads.
        """
        drawn: np.ndarray = self.draws @ totals
        return drawn


def quotient(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """The quotient of each draw; NaN where there is nothing to divide by."""
    nothing = np.full(np.broadcast(above, below).shape, np.nan)
    return np.divide(above, below, out=nothing, where=below > 1e-12)


def interval(draws: np.ndarray, confidence: float) -> tuple[float | None, float | None]:
    """The middle `confidence` of the draws (without the first, the statistic itself)."""
    known = draws[1:][~np.isnan(draws[1:])]
    if not known.size:
        return None, None
    low, high = np.quantile(known, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    return tidy(low), tidy(high)


def interval_of_share(
    above: np.ndarray, below: np.ndarray, confidence: float
) -> tuple[float | None, float | None]:
    """The interval of a share, from the draws of its parts.

    Where nobody or everybody is meant all draws are alike, and would call it certain: there it is
    Wilson's interval of so many cases.
    """
    shares = quotient(above, below)
    if shares[0] not in (0.0, 1.0):
        return interval(shares, confidence)
    doubt = NormalDist().inv_cdf((1.0 + confidence) / 2.0) ** 2
    margin = tidy(doubt / (below[0] + doubt)) or 0.0
    return (0.0, margin) if shares[0] == 0.0 else (tidy(1.0 - margin), 1.0)


def tidy(value: float) -> float | None:
    """A figure as it is kept: six digits, so that no machine's last bit shows; NaN is null."""
    return None if np.isnan(value) else round(float(value), DIGITS)
