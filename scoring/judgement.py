"""What a report card judges: rankings of customers on past dates, and what became of them then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from scoring.config import Rules
from scoring.history import Floats, History, choose_origins, is_lost_within

# Rankings that need no score: higher is riskier.
OUTCOME_RANKS = {"churned": 4, "renewed_late": 3, "auto_renewed": 1}
NOT_JUDGED = ("open", "not_due", "lifetime")
BASELINES: dict[str, pl.Expr] = {
    "days_since_last_use": pl.when(pl.col("days_without_first_use").is_not_null())
    .then(100_000)
    .otherwise("days_since_last_use"),
    "active_user_count_28d": -pl.col("active_user_count_28d"),
    # Who has not renewed yet ranks with who renewed in time.
    "last_outcome": pl.col("last_outcome").replace_strict(
        OUTCOME_RANKS, default=0, return_dtype=pl.Int64
    ),
    "tenure_days": -pl.col("tenure_days"),
}


@dataclass(frozen=True)
class Ranking:
    """One method on every row of the history: its risk, its flags, its probability if it has one.

    A flag is 1 for customers the budget takes, 0 for others; customers of the same risk share the
    slots left for them.
    """

    risk: Floats
    flags: Floats
    top_flags: Floats
    probability: Floats | None


@dataclass(frozen=True)
class Judged:
    """One card and horizon: `rows` (row: its place in the history, customer_id, segment, arr,
    is_lost, lead_days, is_treated) and the group within which customers are compared."""

    card: str
    horizon_days: int
    rows: pl.DataFrame

    @property
    def places(self) -> np.ndarray:
        """The places in the history."""
        return self.rows["row"].to_numpy()


def rank_baselines(history: History, share: float) -> dict[str, Ranking]:
    """The simple measures as rankings; what is not measured stands in the middle of its date."""
    rankings = {}
    for method, expression in BASELINES.items():
        measured = expression.cast(pl.Float64)
        risk = history.rows.select(
            pl.coalesce(measured, measured.median().over("as_of_date"), pl.lit(0.0))
        ).to_series()
        rankings[method] = rank(history, risk.to_numpy(), share, has_probability=False)
    return rankings


def rank(history: History, risk: Floats, share: float, *, has_probability: bool) -> Ranking:
    """A ranking of every row by its risk, with the flags of a budget of `share`."""
    flags, top_flags = flag_top(history, risk, share, 0.10)
    return Ranking(risk, flags, top_flags, risk if has_probability else None)


def flag_top(history: History, risk: Floats, *shares: float) -> list[Floats]:
    """Per share, 1 for the customers of each date within the top, shared by equals at its edge."""
    first, last = (
        pl.col("risk").rank(method, descending=True).over("as_of_date") for method in ("min", "max")
    )
    slots = [(share * pl.len().over("as_of_date") - 1e-9).ceil().clip(0) for share in shares]
    found = history.rows.select("as_of_date", risk=pl.Series(risk)).select(
        ((slot - (first - 1)) / (last - first + 1)).clip(0.0, 1.0).alias(str(place))
        for place, slot in enumerate(slots)
    )
    return [column.to_numpy() for column in found.iter_columns()]


def judge_customers(
    history: History, treatments: pl.DataFrame, horizon_days: int, rules: Rules
) -> Judged:
    """The customers of matured origins, a horizon apart, and whether each was lost within it."""
    latest = history.as_of_date - timedelta(days=horizon_days + rules.churn.grace_days)
    origins = choose_origins(history.dates, latest, horizon_days)
    chosen = [history.dates[index] for index in origins]
    rows = (
        history.rows.with_row_index("row")
        .with_columns(is_lost=pl.Series(is_lost_within(history.rows, horizon_days)))
        .filter(pl.col("as_of_date").is_in(chosen))
        .with_columns(
            lead_days=(pl.col("lost_on") - pl.col("as_of_date")).dt.total_days(),
            group=pl.col("as_of_date"),
        )
    )
    return Judged("customer", horizon_days, _finish(rows, treatments, rules))


def judge_renewals(
    history: History,
    outcomes: pl.DataFrame,
    treatments: pl.DataFrame,
    horizon_days: int,
    rules: Rules,
) -> Judged:
    """The renewals that are certain, each with the last date at or before due - horizon."""
    due = (
        renewals_to_judge(outcomes, rules)
        .select(
            "customer_id",
            "term_id",
            due_date="outcome_date",
            due_arr=pl.col("arr").cast(pl.Float64),
            is_lost=pl.col("outcome") == "churned",
            seen_on=pl.col("outcome_date") - timedelta(days=horizon_days),
        )
        .sort("seen_on")
    )
    dates = pl.DataFrame({"as_of_date": history.dates}, schema={"as_of_date": pl.Date})
    rows = (
        due.join_asof(dates, left_on="seen_on", right_on="as_of_date", coalesce=False)
        .join(history.rows.with_row_index("row"), on=["customer_id", "as_of_date"])
        .with_columns(
            arr="due_arr",
            lead_days=(pl.col("due_date") - pl.col("as_of_date")).dt.total_days(),
            group=pl.lit(history.as_of_date),
        )
        .sort("row", "term_id")
    )
    return Judged("renewal", horizon_days, _finish(rows, treatments, rules))


def renewals_to_judge(outcomes: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """The rows of customer_outcomes that are renewals of long terms, or of unknown length."""
    is_long = pl.col("term_months").fill_null(float("inf")) >= rules.report.minimum_term_months
    is_renewal = (pl.col("kind") == "renewal") & ~pl.col("outcome").is_in(NOT_JUDGED)
    return outcomes.filter(is_renewal & is_long)


def list_treatments(responses: pl.DataFrame) -> pl.DataFrame:
    """Risk playbooks that were started: (customer_id, started_on)."""
    is_risk = pl.col("kind").fill_null("risk") == "risk"
    return (
        responses.filter(is_risk & pl.col("started_on").is_not_null())
        .select("customer_id", "started_on")
        .unique()
        .sort("customer_id", "started_on")
    )


def mark_treated(rows: pl.DataFrame, treatments: pl.DataFrame, within_days: int) -> pl.DataFrame:
    """Adds is_treated: a risk playbook was started within so many days of the date."""
    days = (pl.col("started_on") - pl.col("as_of_date")).dt.total_days().abs()
    key = ["customer_id", "as_of_date"]
    treated = (
        rows.select(key)
        .unique()
        .join(treatments, on="customer_id")
        .filter(days <= within_days)
        .select(*key, is_treated=pl.lit(True))
        .unique()
    )
    return rows.join(treated, on=key, how="left", maintain_order="left").with_columns(
        pl.col("is_treated").fill_null(False)
    )


def count_flips(history: History, flags: Mapping[str, Floats]) -> pl.DataFrame:
    """How often customers enter or leave the flags, per customer-year: (segment, each method).

    A row for `all` and for each segment; null without two dates of a customer.
    """
    moves = (
        history.rows.select("customer_id", "as_of_date", "segment")
        .with_columns(pl.Series(method, values) for method, values in flags.items())
        .sort("customer_id", "as_of_date")
        .with_columns(
            *(pl.col(m).diff().abs().over("customer_id").alias(m) for m in flags),
            days=pl.col("as_of_date").diff().over("customer_id").dt.total_days(),
        )
        .filter(pl.col("days") <= 7)
    )
    years = pl.col("days").sum() / 365.25
    rates = [(pl.col(method).sum() / years).alias(method) for method in flags]
    whole = moves.select(pl.lit("all").alias("segment"), *rates)
    return pl.concat([whole, moves.group_by("segment").agg(rates).sort("segment")])


def _finish(rows: pl.DataFrame, treatments: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    treated = mark_treated(rows, treatments, rules.report.treated_within_days)
    return treated.select(
        "row",
        "customer_id",
        "as_of_date",
        "segment",
        "arr",
        "is_lost",
        "lead_days",
        "is_treated",
        "group",
    )
