"""The page: one self-contained HTML file made from the published tables."""

import datetime as dt
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from exports import charts
from exports.config import Company
from exports.page_facts import (
    USAGE_GROUPS,
    PageFacts,
    Row,
    group_of,
    read_page_facts,
    total,
)

NOT_MEASURED = Markup('<span class="unknown" title="not measured">–</span>')

FINE_STATUSES = ("ok", "fresh", "on_time", None)
MOST_SENTENCES = 3

REASONS = {
    "state_drop": "Usage state fell",
    "usage_down": "Use is falling",
    "never_started": "Never started using it",
    "onboarding_stuck": "Onboarding is stuck",
    "lost_contact_ours": "We have not been in touch",
    "lost_contact_theirs": "They have not been in touch",
    "champion_left": "The champion has left",
    "no_owner": "Has no owner",
    "renewal_talk_not_started": "Renewal talk not started",
    "tickets_unanswered": "Tickets unanswered",
    "low_survey": "Low survey answer",
    "overdue_payment": "Payment overdue",
    "contraction": "Buys less than before",
    "service_exhausted": "Service used up",
    "used_without_value": "Used without value",
    "csm_sees_risk": "The CSM sees a risk",
    "high_probability": "High churn probability",
    "seats_full": "Seats are full",
    "quota_burn": "Quota is burning fast",
    "state_rise": "Use has risen",
}


def write_dashboard(path: Path, database: Path, company: Company) -> Path:
    """Writes the page for the published file `database` and returns its path."""
    page = render_dashboard(read_page_facts(database), company)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def render_dashboard(facts: PageFacts, company: Company) -> str:
    """The page as HTML: nothing outside it is referenced, the same facts give the same text."""
    environment = Environment(
        loader=PackageLoader("exports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": money,
        "count": count,
        "percent": percent,
        "score": score,
        "day": day,
        "words": words,
        "reason": reason,
    }
    environment.globals["why"] = say_why
    return environment.get_template("dashboard.html").render(
        facts=facts,
        company=company,
        csms=group_queue(facts.queue),
        at_stake=total(list({row["customer_id"]: row for row in facts.queue}.values()), "due_arr"),
        mix=mix_usage(facts.usage_states, facts.paying_count),
        measures=_measures(facts),
        stale=find_stale(facts),
        charts={
            "north_star": _drawn(charts.draw_north_star, facts.north_star),
            "bridge": _drawn(charts.draw_bridge, facts.bridge),
            "retention": _drawn(charts.draw_retention, facts.retention_history, at_least=2),
            "renewals": _drawn(charts.draw_renewals, facts.renewals_due),
        },
    )


def group_queue(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Open risk warnings by CSM, most ARR first: what fits this week's budget, and what was cut."""
    by_csm: dict[str, list[Row]] = {}
    for row in rows:
        by_csm.setdefault(row["csm"], []).append(row)
    groups = [
        {
            "csm": csm,
            "now": [row for row in warnings if row["is_within_budget"] is not False],
            "cut": [row for row in warnings if row["is_within_budget"] is False],
            "due_arr": total(warnings, "due_arr"),
        }
        for csm, warnings in by_csm.items()
    ]
    return sorted(groups, key=lambda group: (-group["due_arr"], group["csm"]))


def mix_usage(states: Iterable[Row], paying_count: int) -> list[dict[str, Any]]:
    """Paying customers by usage group with their states: count, share, ARR; shares add to 1."""
    states = list(states)
    mix = []
    for group in USAGE_GROUPS:
        members = [row for row in states if group_of(row["usage_state"]) == group]
        customers = sum(row["customer_count"] for row in members)
        mix.append(
            {
                "group": group,
                "slug": group.replace(" ", "-"),
                "customer_count": customers,
                "share": Decimal(customers) / paying_count if paying_count else None,
                "arr": total(members, "arr"),
                "states": [
                    (words(row["usage_state"] or "no state"), row["customer_count"])
                    for row in sorted(members, key=lambda row: -row["customer_count"])
                ],
            }
        )
    return mix


def find_stale(facts: PageFacts) -> list[Row]:
    """Connected sources that are not as they should be and have no alarm of their own."""
    alarmed = {alarm["entity"] for alarm in facts.alarms}
    return [
        row
        for row in facts.sources
        if row["delivered"] and row["entity"] not in alarmed and row["status"] not in FINE_STATUSES
    ]


def say_why(row: Row) -> list[str]:
    """The sentences of a warning's drivers, the first ones first; else the score's own reason."""
    try:
        drivers = json.loads(row["drivers"] or "[]")
        sentences = [driver["sentence"] for driver in drivers if driver.get("sentence")]
    except (ValueError, AttributeError, TypeError):
        sentences = []
    return sentences[:MOST_SENTENCES] or [row["reason"]] * bool(row["reason"])


def money(value: Decimal | float | None) -> str | Markup:
    """Whole units with thousands separators."""
    return NOT_MEASURED if value is None else f"{value:,.0f}"


def count(value: int | Decimal | None) -> str | Markup:
    """A whole number with thousands separators."""
    return NOT_MEASURED if value is None else f"{value:,.0f}"


def percent(value: Decimal | float | None, digits: int = 1) -> str | Markup:
    """A quotient as per cent."""
    return NOT_MEASURED if value is None else f"{value * 100:.{digits}f} %"


def score(value: Decimal | float | None) -> str | Markup:
    """A health score, whole."""
    return NOT_MEASURED if value is None else f"{value:.0f}"


def day(value: dt.date | dt.datetime | None) -> str | Markup:
    """An ISO date."""
    return NOT_MEASURED if value is None else value.strftime("%Y-%m-%d")


def words(value: str | None) -> str:
    """A name of the data as words."""
    return (value or "").replace("_", " ")


def reason(code: str | None) -> str:
    """A warning's reason as a short sentence."""
    return REASONS.get(code or "", words(code).capitalize())


def _measures(facts: PageFacts) -> dict[str, Any]:
    """The figures of the head: newest north star and twelve-month retention, with their n."""
    yearly = next((row for row in facts.retention_now if row["window_months"] == 12), None)
    return {
        "north_star": facts.north_star[-1] if facts.north_star else None,
        "before": facts.north_star[-2] if len(facts.north_star) > 1 else None,
        "yearly": yearly if yearly and yearly["opening_mrr"] else None,
    }


def _drawn(draw: Any, rows: list[Row], at_least: int = 1) -> Markup | None:
    return Markup(draw(rows)) if len(rows) >= at_least else None
