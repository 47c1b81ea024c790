"""The week's queue: in which order open warnings are called, and how many there are hours for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import polars as pl

from scoring.config import BudgetRules, Rules
from scoring.episodes import UNASSIGNED, WARNINGS_SCHEMA


def rank_within_budget(
    warnings: pl.DataFrame,
    customers: pl.DataFrame,
    capacity: pl.DataFrame,
    responses: pl.DataFrame,
    rules: Rules,
) -> pl.DataFrame:
    """Adds is_urgent, rank (1 is first) and is_within_budget; sorted by warning_id.

    Rank: first who cannot wait for next week's calls, because the renewal is overdue, or comes
    before; then most ARR to be saved, most ARR, customer_id; upsell, which saves none, comes last.
    An accepted warning (its playbook started, not done) keeps its slot; the slots left fill by
    rank. CSMs without known hours share one pool of the top share of their customers.
    """
    is_urgent = _renews_too_soon(rules.budget)
    is_overdue = is_urgent & (pl.col("days_to_renewal") < 0)
    facts = customers.select("customer_id", "arr", is_urgent=is_urgent, is_overdue=is_overdue)
    queue = (
        warnings.filter(pl.col("status").is_in(["opened", "ongoing"]))
        .join(facts, on="customer_id", how="left")
        .with_columns(is_urgent=(pl.col("kind") == "risk") & pl.col("is_urgent"))
        .sort(
            "is_urgent",
            "is_overdue",
            "expected_saved_arr",
            "arr",
            "customer_id",
            "kind",
            descending=[True, True, True, True, False, False],
            nulls_last=True,
        )
        .with_row_index("rank", offset=1)
        .select("warning_id", "csm_id", "is_urgent", pl.col("rank").cast(pl.Int64))
    )
    slots = _count_slots(customers, capacity, rules)
    accepted = _list_accepted(responses)
    within: set[str] = set()
    for pool, ranked in _group_by_pool(queue, slots).items():
        kept = [warning_id for warning_id in ranked if warning_id in accepted]
        others = [warning_id for warning_id in ranked if warning_id not in accepted]
        within.update(kept, others[: max(slots[pool] - len(kept), 0)])
    return (
        warnings.join(queue.drop("csm_id"), on="warning_id", how="left")
        .with_columns(is_within_budget=pl.col("warning_id").is_in(sorted(within)))
        .select(WARNINGS_SCHEMA.keys())
        .sort("warning_id")
    )


def budget_share(customers: pl.DataFrame, capacity: pl.DataFrame, rules: Rules) -> float:
    """The share of the paying customers that the slots of a week can take."""
    if customers.is_empty():
        return rules.budget.share_without_hours
    slots = _count_slots(customers, capacity, rules)
    owners = customers["csm_id"].fill_null(UNASSIGNED).to_list()
    served = Counter(owner if owner in slots else UNASSIGNED for owner in owners)
    return sum(min(slots[csm], count) for csm, count in served.items()) / len(owners)


def _renews_too_soon(budget: BudgetRules) -> pl.Expr:
    """A renewal of a long term is overdue, or comes before the next week's calls would."""
    months = pl.col("next_renewal_term_months")
    is_long = (months >= budget.urgent_term_months).fill_null(True)
    return is_long & (pl.col("days_to_renewal") <= budget.urgent_days).fill_null(False)


def _list_accepted(responses: pl.DataFrame) -> set[str]:
    accepted = responses.filter(pl.col("started_on").is_not_null() & pl.col("done_on").is_null())
    return set(accepted["warning_id"].drop_nulls().to_list())


def _count_slots(customers: pl.DataFrame, capacity: pl.DataFrame, rules: Rules) -> dict[str, int]:
    """Slots per CSM with known hours; under UNASSIGNED those of all others together."""
    slots = {
        row["csm_id"]: max(0, math.floor(row["hours_left"] / rules.budget.hours_per_warning))
        for row in capacity.iter_rows(named=True)
        if row["hours_left"] is not None
    }
    owners = customers["csm_id"].fill_null(UNASSIGNED).to_list()
    pooled = sum(owner not in slots for owner in owners)
    # The small term keeps a tenth of 30 customers at three, not four.
    slots[UNASSIGNED] = math.ceil(rules.budget.share_without_hours * pooled - 1e-9)
    return slots


def _group_by_pool(queue: pl.DataFrame, slots: Mapping[str, int]) -> dict[str, list[str]]:
    """The warning_ids in rank order: per CSM with hours, and under UNASSIGNED of all others."""
    pools: dict[str, list[str]] = {}
    for warning_id, csm_id in queue.sort("rank").select("warning_id", "csm_id").iter_rows():
        pools.setdefault(csm_id if csm_id in slots else UNASSIGNED, []).append(warning_id)
    return pools
