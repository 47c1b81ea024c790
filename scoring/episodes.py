"""Warnings as episodes: at most one open per customer and kind, from its opening to its close."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from scoring.config import Feed, Language, Rules
from scoring.savings import Saving
from scoring.sentences import say_reason
from scoring.signals import MONEY
from scoring.warnings import REASONS

UNASSIGNED = "unassigned"
CUSTOMER_LEFT = "customer_left"
REASONS_ENDED = "reasons_ended"
PLAYBOOK_DONE = "playbook_done"
SAVED_ARR = pl.Decimal(38, 2)

# churn_warnings, grain warning_id. is_urgent and rank are null unless opened or ongoing.
# recall_share: the customer's share of all losses expected within the horizon; over the warnings
# that the budget cuts it adds up to the recall they would have brought.
WARNINGS_SCHEMA: dict[str, pl.DataType] = {
    "warning_id": pl.String(),
    "customer_id": pl.String(),
    "csm_id": pl.String(),
    "kind": pl.String(),
    "opened_on": pl.Date(),
    "closed_on": pl.Date(),
    "status": pl.String(),
    "close_reason": pl.String(),
    "reason_code": pl.String(),
    "drivers": pl.String(),
    "held_by": pl.String(),
    "playbook": pl.String(),
    "due_date": pl.Date(),
    "due_arr": MONEY,
    "churn_probability": pl.Float64(),
    "expected_saved_arr": SAVED_ARR,
    "is_assumed": pl.Boolean(),
    "recall_share": pl.Float64(),
    "is_urgent": pl.Boolean(),
    "rank": pl.Int64(),
    "is_within_budget": pl.Boolean(),
}
RANKED = ("is_urgent", "rank", "is_within_budget")


def empty_warnings() -> pl.DataFrame:
    """The warnings before the first night."""
    return pl.DataFrame(schema=WARNINGS_SCHEMA)


def identify(customer_id: str, kind: str, opened_on: date) -> str:
    """The id of an episode: the same in every rebuild, no two episodes alike."""
    return hashlib.sha256(f"{customer_id}\n{kind}\n{opened_on}".encode()).hexdigest()[:16]


def gather_drivers(
    reasons: pl.DataFrame, customers: pl.DataFrame, rules: Rules, language: Language
) -> pl.DataFrame:
    """The reasons that are on, as drivers: (customer_id, kind, reason_code, drivers, held_by).

    `reasons`: as said by reasons.say_reasons; `customers`: tonight's signals with what the
    sentences name. reason_code is the first in the rules' order; drivers a JSON list of
    {code, sentence} in that order. held_by: the feeds without which a reason cannot end tonight.
    """
    on = reasons.filter(pl.col("said") == "yes")
    rows = customers.filter(pl.col("customer_id").is_in(on["customer_id"].unique().implode()))
    figures = {row["customer_id"]: row for row in rows.iter_rows(named=True)}
    drivers: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    silent: dict[tuple[str, str], set[str]] = {}
    for customer_id, code, raw in on.select("customer_id", "subject", "raw").iter_rows():
        reason, order = REASONS[code], rules.warnings.reasons[code].order
        standing = {"yes": "holds", "no": "easing"}.get(raw or "", "held")
        sentence = say_reason(code, reason.sentence, standing, figures[customer_id], language)
        drivers.setdefault((customer_id, reason.kind), []).append((order, code, sentence))
        for feed in reason.feeds if raw is None else ():
            if _is_silent(feed, figures[customer_id], rules):
                silent.setdefault((customer_id, reason.kind), set()).add(feed)
    listed = []
    for (customer_id, kind), found in sorted(drivers.items()):
        found.sort()
        spelled = [{"code": code, "sentence": sentence} for _, code, sentence in found]
        held_by = ", ".join(sorted(silent.get((customer_id, kind), ()))) or None
        spoken = json.dumps(spelled, ensure_ascii=False)
        listed.append((customer_id, kind, found[0][1], spoken, held_by))
    names = ("customer_id", "kind", "reason_code", "drivers", "held_by")
    return pl.DataFrame(listed, schema=dict.fromkeys(names, pl.String()), orient="row")


def _is_silent(feed: Feed, figures: Mapping[str, Any], rules: Rules) -> bool:
    """A feed that was there is stale or in an outage."""
    days = figures[f"{feed}_stale_days"]
    if days is None:
        return False
    is_frozen = feed == "usage" and figures["is_usage_frozen"]
    return bool(is_frozen or days > rules.health.stale_days[feed])


def continue_episodes(
    before: pl.DataFrame,
    drivers: pl.DataFrame,
    customers: pl.DataFrame,
    responses: pl.DataFrame,
    savings: Mapping[str, Saving],
    *,
    rules: Rules,
    as_of_date: date,
) -> pl.DataFrame:
    """Tonight's warnings: WARNINGS_SCHEMA's columns without those of RANKED.

    `before`: churn_warnings of the last night said. `customers`: those of reasons.join_lapsed
    (customer_id, csm_id, next_renewal_date, due_arr_12m, churn_probability). `responses`:
    playbook_responses; `savings`: by reason. Closed warnings stay listed for keep_closed_days.
    """
    facts = {
        row["customer_id"]: row
        for row in customers.select(
            "customer_id", "csm_id", "next_renewal_date", "due_arr_12m", "churn_probability"
        ).iter_rows(named=True)
    }
    answers = _read_answers(responses, as_of_date)
    on = {(row["customer_id"], row["kind"]): row for row in drivers.iter_rows(named=True)}
    keep_from = as_of_date - timedelta(days=rules.warnings.keep_closed_days)

    listed: list[dict[str, Any]] = []
    taken: set[tuple[str, str]] = set()
    for row in before.iter_rows(named=True):
        episode = (row["customer_id"], row["kind"])
        if row["status"] == "closed":
            if row["closed_on"] >= keep_from:
                listed.append(row)
            if _rests(row, rules, as_of_date):
                taken.add(episode)
            continue
        taken.add(episode)
        listed.append(_go_on(row, on.get(episode), facts, answers, as_of_date))
    for episode, driver in on.items():
        if episode not in taken:
            listed.append(_open(driver, facts[episode[0]], rules, as_of_date))
    expected_losses = float(customers["churn_probability"].sum())
    for row in listed:
        if row["status"] != "closed":
            _put_at_stake(row, facts[row["customer_id"]], savings, expected_losses)
    warnings = pl.DataFrame(listed, schema=WARNINGS_SCHEMA, orient="row")
    return warnings.drop(RANKED).sort("warning_id")


def _go_on(
    row: Mapping[str, Any],
    driver: Mapping[str, Any] | None,
    facts: Mapping[str, Mapping[str, Any]],
    answers: Mapping[str, str],
    as_of_date: date,
) -> dict[str, Any]:
    """An open episode one night later."""
    answer = answers.get(row["warning_id"])
    if row["customer_id"] not in facts:
        return _close(row, CUSTOMER_LEFT, as_of_date)
    if answer == PLAYBOOK_DONE:
        return _close(row, PLAYBOOK_DONE, as_of_date)
    if driver is None:
        return _close(row, REASONS_ENDED, as_of_date)
    return {
        **row,
        "status": "snoozed" if answer == "snoozed" else "ongoing",
        "drivers": driver["drivers"],
        "held_by": driver["held_by"],
    }


def _close(row: Mapping[str, Any], close_reason: str, as_of_date: date) -> dict[str, Any]:
    ending = {"status": "closed", "closed_on": as_of_date, "close_reason": close_reason}
    return {**row, **ending, "held_by": None}


def _open(
    driver: Mapping[str, Any], fact: Mapping[str, Any], rules: Rules, as_of_date: date
) -> dict[str, Any]:
    rule = rules.warnings.reasons[driver["reason_code"]]
    act_by = as_of_date + timedelta(days=rule.act_within_days)
    renewal = fact["next_renewal_date"]
    if renewal is not None and as_of_date <= renewal < act_by:
        act_by = renewal
    return {
        **dict.fromkeys(WARNINGS_SCHEMA),
        "warning_id": identify(driver["customer_id"], driver["kind"], as_of_date),
        "customer_id": driver["customer_id"],
        "kind": driver["kind"],
        "opened_on": as_of_date,
        "status": "opened",
        "reason_code": driver["reason_code"],
        "drivers": driver["drivers"],
        "held_by": driver["held_by"],
        "playbook": rule.playbook,
        "due_date": act_by,
    }


def _put_at_stake(
    row: dict[str, Any],
    fact: Mapping[str, Any],
    savings: Mapping[str, Saving],
    expected_losses: float,
) -> None:
    """Tonight's owner, probability and money of an open warning; upsell saves nothing."""
    row["csm_id"] = fact["csm_id"] or UNASSIGNED
    row["due_arr"] = fact["due_arr_12m"]
    row["churn_probability"] = fact["churn_probability"]
    row["is_assumed"] = True
    row["expected_saved_arr"] = row["recall_share"] = None
    due_arr, churn_probability = row["due_arr"], row["churn_probability"]
    if row["kind"] != "risk" or churn_probability is None:
        return
    saving = savings[row["reason_code"]]
    row["is_assumed"] = saving.is_assumed
    row["recall_share"] = churn_probability / expected_losses
    if due_arr is not None:
        saved = churn_probability * float(due_arr) * saving.saved_share
        row["expected_saved_arr"] = Decimal(f"{saved:.2f}")


def _rests(row: Mapping[str, Any], rules: Rules, as_of_date: date) -> bool:
    """Its playbook was done a short while ago: the reasons get time to end."""
    rest = timedelta(days=rules.warnings.rest_days)
    return bool(row["close_reason"] == PLAYBOOK_DONE and row["closed_on"] + rest > as_of_date)


def _read_answers(responses: pl.DataFrame, as_of_date: date) -> dict[str, str]:
    """What the CSM answered per warning: done, or snoozed beyond as_of_date."""
    answers: dict[str, str] = {}
    for row in responses.iter_rows(named=True):
        warning_id = row["warning_id"]
        if warning_id is None:
            continue
        if row["done_on"] is not None and row["done_on"] <= as_of_date:
            answers[warning_id] = PLAYBOOK_DONE
        elif row["snoozed_until"] is not None and row["snoozed_until"] > as_of_date:
            answers.setdefault(warning_id, "snoozed")
    return answers
