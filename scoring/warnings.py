"""Why a customer is warned about: one small function a reason, registered in REASONS.

A function gives a boolean expression over a row of tonight's signals; null means that it cannot be
known tonight, and then what was said stays. Its docstring is the sentence a CSM reads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from scoring.config import Feed, Kind, Rules
from scoring.confirmation import confirm

# States of use from worst to best; those not named (trial, unmeasured, ...) have no place in it.
STATE_RANKS = {
    "silent": 0,
    "dormant": 1,
    "declining": 2,
    "low": 3,
    "onboarding": 4,
    "resurrected": 4,
    "normal": 4,
    "high": 5,
}
POOR_BELOW = STATE_RANKS["normal"]


@dataclass(frozen=True)
class Limits:
    """The numbers of a reason: its threshold (to begin, or to end) and others by name."""

    threshold: float
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Reason:
    """A reason: its kind, whose freshness it needs (None: no feed), what has to be connected."""

    code: str
    kind: Kind
    feed: Feed | None
    entities: tuple[str, ...]
    holds: Callable[[Limits], pl.Expr]

    @property
    def sentence(self) -> str:
        """The English sentence, figures in braces."""
        return " ".join((inspect.getdoc(self.holds) or "").split())


REASONS: dict[str, Reason] = {}


def warns(
    kind: Kind, feed: Feed | None, *entities: str
) -> Callable[[Callable[[Limits], pl.Expr]], Callable[[Limits], pl.Expr]]:
    """Registers a function as the reason of its name."""

    def register(function: Callable[[Limits], pl.Expr]) -> Callable[[Limits], pl.Expr]:
        code = function.__name__
        REASONS[code] = Reason(code, kind, feed, entities, function)
        return function

    return register


@warns("risk", "usage", "product_events")
def state_drop(limits: Limits) -> pl.Expr:
    """Use went from {usage_state_before:name} to {usage_state:name} on {usage_state_since}."""
    is_poor = pl.col("usage_rank") < POOR_BELOW
    is_worse = pl.col("usage_rank") < pl.col("usage_rank_before")
    return is_poor & is_worse & (pl.col("usage_state_days") <= limits.threshold)


@warns("risk", "usage", "product_events")
def usage_down(limits: Limits) -> pl.Expr:
    """
    Active users fell from {active_user_count_28d_before} to {active_user_count_28d}
    in four weeks.
    """
    before = pl.col("active_user_count_28d_before")
    is_enough = before >= limits.numbers["minimum_users"]
    return is_enough & (pl.col("active_user_count_28d") <= limits.threshold * before)


@warns("risk", "usage", "product_events")
def never_started(limits: Limits) -> pl.Expr:
    """No use in the {days_without_first_use} days in which it could have been seen."""
    # Days before the feed, or without one, tell nothing.
    is_unused = pl.col("days_without_first_use") >= limits.threshold
    return pl.when(pl.col("active_user_count_28d").is_not_null()).then(is_unused.fill_null(False))


@warns("risk", "crm", "onboarding_steps", "product_events")
def onboarding_stuck(limits: Limits) -> pl.Expr:
    """Onboarding is {onboarding_status:name} after {onboarding_days} days."""
    is_stuck = pl.col("onboarding_status").is_in(["stuck", "failed"])
    return is_stuck & (pl.col("onboarding_days") <= limits.threshold)


@warns("risk", "crm", "interactions", "messages")
def lost_contact_ours(limits: Limits) -> pl.Expr:
    """No contact from us for {days_without_our_contact} days, planned every {plan_days}."""
    return pl.col("days_without_our_contact") >= limits.threshold * pl.col("plan_days")


@warns("risk", "crm", "interactions", "messages", "tickets", "surveys")
def lost_contact_theirs(limits: Limits) -> pl.Expr:
    """Nothing heard from them for {days_without_their_contact} days, planned every {plan_days}."""
    return pl.col("days_without_their_contact") >= limits.threshold * pl.col("plan_days")


@warns("risk", "crm", "contacts")
def champion_left(limits: Limits) -> pl.Expr:
    """The champion has left."""
    return pl.col("has_champion_left")


@warns("risk", "crm", "ownerships")
def no_owner(limits: Limits) -> pl.Expr:
    """Nobody owns this customer."""
    return ~pl.col("has_owner")


@warns("risk", "crm", "interactions")
def renewal_talk_not_started(limits: Limits) -> pl.Expr:
    """Renewal in {days_to_renewal} days, on {next_renewal_date}, and no renewal talk yet."""
    months = pl.col("next_renewal_term_months")
    is_long = (months >= limits.numbers["minimum_term_months"]).fill_null(True)
    is_near = pl.col("days_to_renewal").is_between(0, limits.threshold).fill_null(False)
    return is_long & is_near & pl.col("renewal_talk_started_date").is_null()


@warns("risk", "crm", "tickets")
def tickets_unanswered(limits: Limits) -> pl.Expr:
    """A ticket has waited {oldest_unanswered_days} days for an answer."""
    # No age is no open question: the last one was answered.
    return (pl.col("oldest_unanswered_days") >= limits.threshold).fill_null(False)


@warns("risk", "crm", "surveys")
def low_survey(limits: Limits) -> pl.Expr:
    """The last survey answer is low ({last_answers})."""
    # An answer that has aged out says nothing any more.
    is_low_nps = (pl.col("nps_score") <= limits.threshold).fill_null(False)
    return is_low_nps | (pl.col("csat_score") <= limits.numbers["csat"]).fill_null(False)


@warns("risk", "orders", "payments")
def overdue_payment(limits: Limits) -> pl.Expr:
    """{overdue_amount:money} {currency} overdue for {overdue_days} days."""
    has_debt = (pl.col("overdue_amount") > 0).fill_null(True)
    return has_debt & (pl.col("overdue_days") >= limits.threshold)


@warns("risk", "orders")
def contraction(limits: Limits) -> pl.Expr:
    """MRR is {mrr_change_ratio_90d:percent} of what it was 90 days ago."""
    return pl.col("mrr_change_ratio_90d") <= limits.threshold


@warns("risk", "orders", "service_usage")
def service_exhausted(limits: Limits) -> pl.Expr:
    """What was bought is used up in {days_to_exhaustion} days."""
    return (pl.col("days_to_exhaustion") <= limits.threshold).fill_null(False)


@warns("risk", "usage", "product_events")
def used_without_value(limits: Limits) -> pl.Expr:
    """Used by {active_user_count_28d} users in four weeks without reaching value."""
    return pl.col("is_used_without_value")


@warns("risk", None, "csm_assessments")
def csm_sees_risk(limits: Limits) -> pl.Expr:
    """The CSM sees a risk."""
    return (pl.col("csm_view") == "red").fill_null(False)


@warns("risk", None)
def high_probability(limits: Limits) -> pl.Expr:
    """The probability of losing this customer within 90 days is {churn_probability:percent}."""
    return pl.col("churn_probability") >= limits.threshold


@warns("upsell", "usage", "product_events")
def seats_full(limits: Limits) -> pl.Expr:
    """{login_ratio:percent} of the {seats_bought} seats bought are in use."""
    return pl.col("login_ratio") >= limits.threshold


@warns("upsell", "orders", "service_usage")
def quota_burn(limits: Limits) -> pl.Expr:
    """What was bought is used up in {days_to_exhaustion} days, before the renewal."""
    days = pl.col("days_to_exhaustion")
    is_before_renewal = (days < pl.col("days_to_renewal")).fill_null(True)
    return ((days <= limits.threshold) & is_before_renewal).fill_null(False)


@warns("upsell", "usage", "product_events")
def state_rise(limits: Limits) -> pl.Expr:
    """Use went from {usage_state_before:name} to {usage_state:name} on {usage_state_since}."""
    is_high = pl.col("usage_state") == "high"
    is_better = pl.col("usage_rank") > pl.col("usage_rank_before")
    return is_high & is_better & (pl.col("usage_state_days") <= limits.threshold)


def add_warning_signals(signals: pl.DataFrame) -> pl.DataFrame:
    """Adds what reasons derive from tonight's signals: ranks and days of states, days without
    contact, the last answers in words.

    A customer that was never contacted counts from its first day, where the company records such
    contacts at all.
    """
    rank = {
        f"{name}": pl.col(state).replace_strict(STATE_RANKS, default=None, return_dtype=pl.Int64)
        for name, state in (
            ("usage_rank", "usage_state"),
            ("usage_rank_before", "usage_state_before"),
        )
    }
    return signals.with_columns(
        **rank,
        usage_state_days=(pl.col("as_of_date") - pl.col("usage_state_since")).dt.total_days(),
        days_without_our_contact=_days_without("days_since_our_contact"),
        days_without_their_contact=_days_without("days_since_their_contact"),
        last_answers=pl.concat_str(
            pl.format("NPS {}", _short("nps_score")),
            pl.format("CSAT {}", _short("csat_score")),
            separator=", ",
            ignore_nulls=True,
        ),
    )


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
        if reason.feed is not None:
            stale_days = pl.col(f"{reason.feed}_stale_days")
            is_known = is_known & (stale_days <= rules.health.stale_days[reason.feed])
        if reason.feed == "usage":
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


def _short(column: str) -> pl.Expr:
    """An answer as text, without a decimal that says nothing."""
    value = pl.col(column).cast(pl.Float64).round(1)
    return (
        pl.when(value == value.floor())
        .then(value.cast(pl.Int64).cast(pl.String))
        .otherwise(value.cast(pl.String))
    )


def _days_without(column: str) -> pl.Expr:
    is_recorded = pl.col(column).is_not_null().any()
    return pl.coalesce(column, pl.when(is_recorded).then("tenure_days"))
