"""Why a customer is warned about: one small function a reason, registered in REASONS.

A function gives a boolean expression over a row of tonight's signals; null means that it cannot be
known tonight, and then what was said stays. Its docstring is the sentence a CSM reads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from scoring.config import Feed, Kind

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
# The last digit of a quotient decides nothing: 63 of 90 are at most 70 %.
NEARLY = 1e-9


@dataclass(frozen=True)
class Limits:
    """The numbers of a reason: its threshold (to begin, or to end) and others by name."""

    threshold: float
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Reason:
    """A reason: its kind, the feeds whose freshness it needs, what has to be connected."""

    code: str
    kind: Kind
    feeds: tuple[Feed, ...]
    entities: tuple[str, ...]
    holds: Callable[[Limits], pl.Expr]

    @property
    def sentence(self) -> str:
        """The English sentence, figures in braces."""
        return " ".join((inspect.getdoc(self.holds) or "").split())


REASONS: dict[str, Reason] = {}


def warns(
    kind: Kind, feeds: Feed | tuple[Feed, ...], *entities: str
) -> Callable[[Callable[[Limits], pl.Expr]], Callable[[Limits], pl.Expr]]:
    """Registers a function as the reason of its name."""

    def register(function: Callable[[Limits], pl.Expr]) -> Callable[[Limits], pl.Expr]:
        code = function.__name__
        needed = (feeds,) if isinstance(feeds, str) else feeds
        REASONS[code] = Reason(code, kind, needed, entities, function)
        return function

    return register


@warns("risk", "orders")
def renewal_overdue(limits: Limits) -> pl.Expr:
    """Ended on {overdue_renewal_date}, {overdue_renewal_days} days ago, and not renewed."""
    # Who goes on paying for something else has bought less: a contraction.
    has_ended = (pl.col("mrr") <= 0) & (pl.col("overdue_renewal_days") >= limits.threshold)
    months = pl.col("overdue_renewal_term_months")
    is_long = (months >= limits.numbers["minimum_term_months"]).fill_null(True)
    return is_long & has_ended.fill_null(False)


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
    return is_enough & (pl.col("active_user_count_28d") <= limits.threshold * before + NEARLY)


@warns("risk", "usage", "product_events")
def never_started(limits: Limits) -> pl.Expr:
    """No use in the {days_without_first_use} days in which it could have been seen."""
    # Days before the feed, or without one, tell nothing.
    is_unused = pl.col("days_without_first_use") >= limits.threshold
    return pl.when(pl.col("active_user_count_28d").is_not_null()).then(is_unused.fill_null(False))


@warns("risk", ("usage", "crm"), "onboarding_steps", "product_events")
def onboarding_stuck(limits: Limits) -> pl.Expr:
    """Onboarding {onboarding_status:name} after {onboarding_days} days."""
    is_stuck = pl.col("onboarding_status").is_in(["stuck", "failed"])
    return is_stuck & (pl.col("onboarding_days") <= limits.threshold)


@warns("risk", "crm", "interactions", "messages")
def lost_contact_ours(limits: Limits) -> pl.Expr:
    """No contact from us for {days_since_our_contact} days, planned every {plan_days}."""
    return pl.col("days_since_our_contact") >= limits.threshold * pl.col("plan_days")


@warns("risk", "crm", "interactions", "messages", "tickets", "surveys")
def lost_contact_theirs(limits: Limits) -> pl.Expr:
    """Nothing heard from them for {days_since_their_contact} days, planned every {plan_days}."""
    return pl.col("days_since_their_contact") >= limits.threshold * pl.col("plan_days")


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
    # Whose MRR is gone has not bought less, but not renewed.
    return (pl.col("mrr") > 0) & (pl.col("mrr_change_ratio_90d") <= limits.threshold + NEARLY)


@warns("risk", "orders", "service_usage")
def service_exhausted(limits: Limits) -> pl.Expr:
    """What was bought is used up in {days_to_exhaustion} days."""
    return (pl.col("days_to_exhaustion") <= limits.threshold).fill_null(False)


@warns("risk", "usage", "product_events")
def used_without_value(limits: Limits) -> pl.Expr:
    """Used by {active_user_count_28d} users in four weeks without reaching value."""
    return pl.col("is_used_without_value")


@warns("risk", (), "csm_assessments")
def csm_sees_risk(limits: Limits) -> pl.Expr:
    """The CSM sees a risk."""
    return (pl.col("csm_view") == "red").fill_null(False)


@warns("risk", ())
def high_probability(limits: Limits) -> pl.Expr:
    """
    The probability of losing this customer within {horizon_days} days
    is {churn_probability:percent}.
    """
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
