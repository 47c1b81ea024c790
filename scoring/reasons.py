"""Which reasons for a warning hold tonight: as seen, and as said when two nights agree."""

from __future__ import annotations

import polars as pl

from scoring.components import is_fresh
from scoring.config import Rules
from scoring.confirmation import confirm
from scoring.warnings import REASONS, STATE_RANKS, Limits


def add_warning_signals(signals: pl.DataFrame) -> pl.DataFrame:
    """Adds what reasons derive: ranks and days of states, the last survey answers in words."""
    return signals.with_columns(
        usage_rank=_rank("usage_state"),
        usage_rank_before=_rank("usage_state_before"),
        usage_state_days=(pl.col("as_of_date") - pl.col("usage_state_since")).dt.total_days(),
        last_answers=pl.concat_str(
            pl.format("NPS {}", _short("nps_score")),
            pl.format("CSAT {}", _short("csat_score")),
            separator=", ",
            ignore_nulls=True,
        ),
    )


def join_lapsed(paying: pl.DataFrame, tonight: pl.DataFrame) -> pl.DataFrame:
    """`paying`, and after them the customers of `tonight` in the grace of a renewal.

    Who has not renewed yet can still be called. At stake is the ARR that ended; score and
    probability, which are those of customers with MRR, are null.
    """
    is_lapsed = (pl.col("mrr") <= 0) & pl.col("overdue_renewal_date").is_not_null()
    lapsed = tonight.filter(is_lapsed).with_columns(
        arr="overdue_renewal_arr",
        due_arr_12m="overdue_renewal_arr",
        next_renewal_date="overdue_renewal_date",
        days_to_renewal=-pl.col("overdue_renewal_days"),
        next_renewal_term_months="overdue_renewal_term_months",
    )
    return pl.concat([paying, lapsed], how="diagonal")


SEEN_SCHEMA = {
    "customer_id": pl.String(),
    "reason_code": pl.String(),
    "begins": pl.Boolean(),
    "goes_on": pl.Boolean(),
}


def see_reasons(signals: pl.DataFrame, rules: Rules, connected: frozenset[str]) -> pl.DataFrame:
    """Which reasons begin or go on tonight: (customer_id, reason_code, begins, goes_on).

    `begins` uses the threshold, `goes_on` the exit threshold. Both are null where the reason cannot
    be known: its source is not connected, is stale, in an outage, or has no value.
    """
    parts = [pl.DataFrame(schema=SEEN_SCHEMA)]
    for code in _codes_in_order(rules):
        reason, rule = REASONS[code], rules.warnings.reasons[code]
        is_known = pl.lit(not reason.entities or not connected.isdisjoint(reason.entities))
        if reason.feeds:
            is_known = is_known & is_fresh(reason.feeds, rules.health)
        if "usage" in reason.feeds:
            is_known = is_known & ~pl.col("is_usage_frozen").fill_null(False)
        threshold = rule.threshold if rule.threshold is not None else 0.0
        leave = rule.exit_threshold if rule.exit_threshold is not None else threshold
        begins = reason.holds(Limits(threshold, rule.numbers))
        goes_on = reason.holds(Limits(leave, rule.numbers))
        parts.append(
            signals.select(
                "customer_id",
                reason_code=pl.lit(code),
                begins=pl.when(is_known).then(begins),
                goes_on=pl.when(is_known).then(goes_on),
            )
        )
    return pl.concat(parts)


def say_reasons(
    seen: pl.DataFrame, memory: pl.DataFrame, rules: Rules, is_first_night: bool
) -> pl.DataFrame:
    """The reasons as said tonight: memory's columns with subject = reason code, and `raw`.

    `said` and `raw` are "yes" or "no"; a null `raw` was not known tonight. On the first night ever
    a reason is said at once; afterwards when it was seen on `confirmation_nights` running.
    """
    remembered = pl.when(pl.col("said").is_null()).then(
        pl.lit(None if is_first_night else "no", pl.String)
    )
    joined = seen.join(
        memory,
        left_on=["customer_id", "reason_code"],
        right_on=["customer_id", "subject"],
        how="left",
    ).with_columns(said=remembered.otherwise("said"))
    is_so = pl.when(pl.col("said") == "yes").then("goes_on").otherwise("begins")
    words = pl.when(is_so).then(pl.lit("yes")).when(~is_so).then(pl.lit("no"))
    said = confirm(joined.with_columns(raw=words), rules.warnings.confirmation_nights)
    return said.select(
        "customer_id",
        pl.col("reason_code").alias("subject"),
        pl.col("said").fill_null("no"),
        "pending",
        "pending_nights",
        "raw",
    ).sort("customer_id", "subject")


def _codes_in_order(rules: Rules) -> list[str]:
    on = {code: rule for code, rule in rules.warnings.reasons.items() if rule.is_on}
    return sorted(on, key=lambda code: on[code].order)


def _rank(state: str) -> pl.Expr:
    return pl.col(state).replace_strict(STATE_RANKS, default=None, return_dtype=pl.Int64)


def _short(column: str) -> pl.Expr:
    """An answer as text, without a decimal that says nothing."""
    value = pl.col(column).cast(pl.Float64).round(1)
    return (
        pl.when(value == value.floor())
        .then(value.cast(pl.Int64).cast(pl.String))
        .otherwise(value.cast(pl.String))
    )
