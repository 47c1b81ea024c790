"""What acting on a reason saves: warning_savings, treated against untreated, a row per reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from scoring.config import Rules, SavingsRules
from scoring.judgement import mark_treated
from scoring.reasons import add_warning_signals, see_reasons
from scoring.warnings import REASONS

SAVINGS_SCHEMA: dict[str, pl.DataType] = {
    "reason_code": pl.String(),
    "treated_count": pl.Int64(),
    "treated_loss_rate": pl.Float64(),
    "untreated_count": pl.Int64(),
    "untreated_loss_rate": pl.Float64(),
    "saved_share": pl.Float64(),
    "is_assumed": pl.Boolean(),
}


class Saving(NamedTuple):
    """The share of losses that acting on a reason avoids; assumed until enough cases are there."""

    saved_share: float
    is_assumed: bool


def learn_savings(
    past: pl.DataFrame, treatments: pl.DataFrame, rules: Rules, connected: frozenset[str]
) -> pl.DataFrame:
    """warning_savings of the risk reasons.

    `past`: signals of matured past dates as known then, with churn_probability and is_lost. A case
    is a customer for which the reason held on such a date; treated: a risk playbook was started
    within treated_within_days of it.
    """
    cases = pl.concat(
        [pl.DataFrame(schema=_CASES_SCHEMA), *_list_cases(past, treatments, rules, connected)]
    )
    counted = {
        (code, is_treated): (count, rate)
        for code, is_treated, count, rate in cases.group_by("reason_code", "is_treated")
        .agg(pl.len(), pl.col("is_lost").mean())
        .iter_rows()
    }
    listed = []
    for code in sorted(c for c in rules.warnings.reasons if REASONS[c].kind == "risk"):
        treated, treated_rate = counted.get((code, True), (0, None))
        untreated, untreated_rate = counted.get((code, False), (0, None))
        saved = _save(treated, treated_rate, untreated, untreated_rate, rules.savings)
        listed.append((code, treated, treated_rate, untreated, untreated_rate, *saved))
    return pl.DataFrame(listed, schema=SAVINGS_SCHEMA, orient="row")


def savings_by_reason(savings: pl.DataFrame) -> dict[str, Saving]:
    """The learnt savings by reason_code."""
    columns = savings.select("reason_code", "saved_share", "is_assumed")
    return {code: Saving(share, is_assumed) for code, share, is_assumed in columns.iter_rows()}


_CASES_SCHEMA = {
    "reason_code": pl.String(),
    "is_treated": pl.Boolean(),
    "is_lost": pl.Boolean(),
}


def _list_cases(
    past: pl.DataFrame, treatments: pl.DataFrame, rules: Rules, connected: frozenset[str]
) -> Iterator[pl.DataFrame]:
    within = rules.report.treated_within_days
    for _, rows in past.group_by("as_of_date", maintain_order=True):
        marked = mark_treated(rows, treatments, within).select(
            "customer_id", "is_treated", "is_lost"
        )
        seen = see_reasons(add_warning_signals(rows), rules, connected)
        yield (
            seen.filter(pl.col("begins"))
            .join(marked, on="customer_id")
            .select(_CASES_SCHEMA.keys())
        )


def _save(
    treated: int,
    treated_rate: float | None,
    untreated: int,
    untreated_rate: float | None,
    rules: SavingsRules,
) -> Saving:
    """1 - treated / untreated rate, never below 0, drawn to the prior by the smaller group."""
    cases = min(treated, untreated)
    is_assumed = cases < rules.minimum_cases
    if treated_rate is None or not untreated_rate:
        return Saving(rules.prior, is_assumed=True)
    found = max(0.0, 1.0 - treated_rate / untreated_rate)
    shrunk = (cases * found + rules.weight * rules.prior) / (cases + rules.weight)
    return Saving(shrunk, is_assumed)
