"""What the sections of the page show, worked out from its facts."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from exports.config import Company
from exports.page_facts import PageFacts, Row, total
from exports.page_words import Words, write_day, write_percent

MOST_SENTENCES = 2
QUEUE_ROWS = 1000
"""More open warnings than this stand in churn_warnings.csv only."""
UPSELL_ROWS = 100
CHANGED_ROWS = 300

GROUPS = ("well", "onboarding", "poor", "not_started", "unmeasured")
STATES = (
    "high", "normal", "resurrected", "onboarding", "low", "declining", "dormant", "silent",
    "not_started", "unmeasured", "trial", "new", "not_customer",
)  # fmt: skip
COHORT_STEPS = ("minus_30", "0", "plus_30", "plus_60", "plus_90")
SURPRISING = 2
"""Standard deviations from what the twelve weeks before would lead to expect."""


def judge_trust(facts: PageFacts, words: Words) -> dict[str, Any]:
    """Whether tonight's score and data can be trusted."""
    alarmed = {alarm["entity"] for alarm in facts.alarms}
    connected = [row for row in facts.sources if row["delivered"]]
    late = [row for row in connected if row["status"] not in (None, "fresh", "ok")]
    stale = [row for row in late if row["entity"] not in alarmed]
    weights = sum(row["weight"] or 0 for row in facts.components)
    unmeasured = [row for row in facts.components if not row["measured_count"]]
    named = [
        words.say(
            f"trust.{_why_in_no_score(row, facts)}",
            component=words.name(row["component"]),
            weight=f"{row['weight'] or 0:g}",
        )
        for row in unmeasured
    ]
    missing = [words.name(row["entity"]) for row in facts.sources if not row["delivered"]]
    return {
        "verdict": facts.verdict,
        "is_care": bool(facts.alarms or stale),
        "connected": connected,
        "fresh_count": len(connected) - len(late),
        "stale": stale[:6],
        "missing": words.join(missing),
        "unmeasured": words.say(
            "trust.in_no_score",
            components=words.join(named, "semicolon"),
            part=f"{sum(row['weight'] or 0 for row in unmeasured):g}",
            total=f"{weights:g}",
        )
        if unmeasured
        else None,
    }


def _why_in_no_score(row: Row, facts: PageFacts) -> str:
    if row["component"] in ("usage_level", "usage_trend") and facts.is_user_unnamed:
        return "userless"
    if not row["applicable_count"]:
        return "unconnected"
    if row["component"] == "breadth_and_depth" and facts.is_value_unnamed:
        return "unnamed"
    return "unmeasured"


def group_calls(rows: list[Row], most: int = QUEUE_ROWS) -> dict[str, Any]:
    """Warnings by CSM, most ARR first; in each what fits this week's time, then what was cut.

    Counts and sums are those of the rows listed.
    """
    shown = sorted(rows, key=is_cut)[:most]
    by_csm: dict[str | None, list[Row]] = {}
    for row in shown:
        by_csm.setdefault(row["csm"], []).append(row)
    groups = [{"csm": csm, "rows": calls, **_sum_calls(calls)} for csm, calls in by_csm.items()]
    return {
        "groups": sorted(groups, key=lambda group: (-group["due_arr"], group["csm"] or "")),
        "csms": sorted(by_csm, key=lambda csm: (csm is None, csm)),
        "count": len(rows),
        "left_out": len(rows) - len(shown),
        "is_assumed": any(row["is_assumed"] for row in shown),
        **_sum_calls(shown),
    }


def _sum_calls(calls: list[Row]) -> dict[str, Any]:
    """Counts and money of the calls of this week, and of those beyond its time."""
    now, cut = [row for row in calls if not is_cut(row)], list(filter(is_cut, calls))
    return {
        "now_count": len(now),
        "due_arr": _due_arr(now),
        "saved_arr": total(now, "expected_saved_arr"),
        "urgent_count": sum(bool(row["is_urgent"]) for row in now),
        "cut_count": len(cut),
        "cut_due_arr": _due_arr(cut),
        "cut_urgent_count": sum(bool(row["is_urgent"]) for row in cut),
    }


def _due_arr(calls: list[Row]) -> Decimal:
    """What is due of the customers called, each once."""
    return total(list({row["customer_id"]: row for row in calls}.values()), "due_arr")


def is_cut(row: Row) -> bool:
    """True for a warning beyond this week's time; an unknown budget cuts nothing."""
    return row["is_within_budget"] is False


def say_why(row: Row, words: Words) -> list[str]:
    """The sentences of a warning's drivers, the first ones first; else the score's own reason.

    A sentence that only repeats the short form of the reason beside it is left out.
    """
    told = read_drivers(row["drivers"]) or [row["reason"]] * bool(row["reason"])
    short = words.reason(row["reason_code"])
    return [sentence for sentence in told if sentence.rstrip(".。") != short][:MOST_SENTENCES]


def say_skipped(row: Row, words: Words) -> str:
    """Who skipped the call, when and why; the note alone is the reason."""
    reason = row["skipped_reason"]
    return words.say(
        "queue.skipped",
        day=write_day(row["skipped_on"]),
        who=row["skipped_by"] or words.say("page.unassigned"),
        why="" if reason == "skipped" else words.say("page.colon") + reason,
    )


def read_drivers(drivers: str | None) -> list[str]:
    """The sentences in the JSON of a warning's drivers."""
    try:
        found = json.loads(drivers or "[]")
        return [driver["sentence"] for driver in found if driver.get("sentence")]
    except (ValueError, AttributeError, TypeError):
        return []


def count_changes(rows: list[Row]) -> dict[str, Any]:
    """What changed since last night, with counts."""
    for row in rows:
        row["is_band_changed"] = (
            row["previous_health_band"] is not None
            and row["previous_health_band"] != row["health_band"]
        )
    changes = [row["change"] or 0 for row in rows]
    return {
        "rows": rows[:CHANGED_ROWS],
        "left_out": max(0, len(rows) - CHANGED_ROWS),
        "up_count": sum(change >= 1 for change in changes),
        "down_count": sum(change <= -1 for change in changes),
        "band_count": sum(row["is_band_changed"] for row in rows),
        "state_count": sum(row["to_state"] is not None for row in rows),
        "opened_count": sum(len(row["opened"] or ()) for row in rows),
        "closed_count": sum(len(row["closed"] or ()) for row in rows),
    }


def mix_usage(rows: list[Row]) -> dict[str, Any]:
    """The newest usage mix beside the oldest of the year; shares of paying customers add to 1."""
    days = sorted({row["state_date"] for row in rows})
    if not days:
        return {"rows": []}
    newest = {row["usage_group"]: row for row in rows if row["state_date"] == days[-1]}
    oldest = {row["usage_group"]: row for row in rows if row["state_date"] == days[0]}
    groups = [
        newest[group] | {"share_before": oldest.get(group, {}).get("customer_share")}
        for group in GROUPS
        if group in newest
    ]
    paying_count = sum(row["customer_count"] for row in groups)
    return {
        "rows": groups if paying_count else [],
        "paying_count": paying_count,
        "trial_count": newest.get("trial", {}).get("customer_count") or 0,
        "first_day": write_day(days[0]),
        "day": write_day(days[-1]),
        "weeks": (days[-1] - days[0]).days // 7,
    }


def lay_out_matrix(rows: list[Row]) -> dict[str, Any]:
    """The transitions of a week as a table of cells, states in a fixed order, best first."""
    counted = [row for row in rows if row["opening_count"] and row["from_state"] != "not_customer"]
    cells = {(row["from_state"], row["to_state"]): row | _mark(row) for row in counted}
    entered = {row["to_state"] for row in cells.values() if row["customer_count"] or row["mark"]}
    sizes = {row["from_state"]: row["opening_count"] for row in counted}
    columns = [state for state in STATES if state in entered]
    return {
        "week": write_day(rows[0]["week_start"]) if rows else None,
        "states": columns,
        "rows": [
            {
                "state": state,
                "n": sizes[state],
                "cells": [cells.get((state, column)) for column in columns],
            }
            for state in STATES
            if state in sizes
        ],
    }


def _mark(row: Row) -> Row:
    surprise = row["surprise"] or 0
    return {
        "mark": "▲" if surprise >= SURPRISING else "▼" if surprise <= -SURPRISING else "",
        "is_same": row["from_state"] == row["to_state"],
    }


def compare_renewal(rows: list[Row]) -> dict[str, Any] | None:
    """Renewal rates of customers that had met the north star and of the others."""
    groups = {row["north_star_group"]: row for row in rows if row["renewal_rate"] is not None}
    if not {"reached", "not_reached"} <= set(groups):
        return None
    reached, others = groups["reached"], groups["not_reached"]
    figures = {"reached": write_percent(reached["renewal_rate"]), "n_reached": reached["n"]}
    figures |= {"others": write_percent(others["renewal_rate"]), "n_others": others["n"]}
    figures |= {"range_reached": _range(reached), "range_others": _range(others)}
    overlaps = reached["rate_low"] <= others["rate_high"]
    return {"figures": figures, "overlaps": overlaps}


def _range(row: Row) -> str:
    return f"{row['rate_low'] * 100:.0f}–{row['rate_high'] * 100:.0f}\u00a0%"


def lay_out_cohorts(rows: list[Row]) -> list[Row]:
    """Renewal cohorts with a cell for each step: the share of what was due, darker above a half."""
    return [
        row
        | {
            "cells": [
                {"share": share, "heat": max(0, 2 * (share or 0) - 1)}
                for share in (
                    *(_share(row[f"renewed_by_{step}"], row["due"]) for step in COHORT_STEPS),
                    row["gross_rate"],
                )
            ]
        }
        for row in rows
    ]


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return None if part is None or not whole else part / whole


def list_onboarding(rows: list[Row]) -> list[Row]:
    """Customers by onboarding status; nothing where no status is measured."""
    measured = [row for row in rows if row["onboarding_status"] not in (None, "unmeasured")]
    return rows if measured else []


def say_not_connected(entities: Iterable[str], connected: set[str], words: Words) -> str | None:
    """The sentence of a section whose sources are all not connected; None when one is."""
    entities = list(entities)
    if connected & set(entities):
        return None
    names = words.join([words.name(entity) for entity in entities], "or")
    return words.say("page.not_connected", entities=names)


def list_page_data(facts: PageFacts, company: Company, words: Words) -> dict[str, Any]:
    """What the page's script needs: its words, and the list of all customers."""
    columns = (
        "customer_id", "customer_name", "status", "segment", "csm_name", "health_band",
        "health_score", "usage_state", "arr", "next_renewal_date",
    )  # fmt: skip
    catalogue = words.catalogue
    return {
        "currency": company.currency,
        "asOf": write_day(facts.as_of_date),
        "words": catalogue["panel"] | catalogue["customers"] | {
            name: catalogue["page"][name]
            for name in ("not_measured", "unassigned", "show_all", "colon")
        } | {name: catalogue["queue"][name] for name in ("shown", "none_match", "skipped")},
        "names": catalogue["names"],
        "reasons": catalogue["reasons"],
        "columns": columns,
        "customers": [[_rounded(row[name]) for name in columns] for row in facts.customers],
    }  # fmt: skip


def _rounded(value: Any) -> Any:
    return round(value) if isinstance(value, float) else value
