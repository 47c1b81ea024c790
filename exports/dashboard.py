"""The page: one self-contained HTML file made from the published tables."""

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from exports import charts, page_audit, page_sections
from exports.config import Company
from exports.page_facts import (
    Details,
    PageFacts,
    Row,
    read_customer_details,
    read_page_facts,
    total,
)
from exports.page_words import (
    Words,
    write_day,
    write_money,
    write_month,
    write_number,
    write_percent,
    write_signed,
)

SECTIONS = (
    "queue",
    "changes",
    "use",
    "north_star",
    "renewals",
    "revenue",
    "service",
    "books",
    "audit",
    "customers",
)
"""The sections below the head, in their order: a template, words and queries of their own."""


def write_dashboard(
    path: Path, database: Path, company: Company, said_changes: Path | None = None
) -> Path:
    """Writes the page for the published file `database` and returns its path.

    `said_changes` is the night's `crm_writeback` as Parquet: what was said the night before.
    """
    facts = read_page_facts(database, said_changes, company.zone)
    changed = [row["customer_id"] for row in facts.changes]
    details = read_customer_details(database, changed, company.zone)
    page = render_dashboard(facts, details, company)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def render_dashboard(facts: PageFacts, details: Details, company: Company) -> str:
    """The page as HTML: nothing outside it is referenced, the same facts give the same text."""
    words = Words(company.language)
    environment = _environment(words)
    script = read_template("page.js")
    connected = {row["entity"] for row in facts.sources if row["delivered"]}
    environment.globals |= {
        "words": words,
        "say": words.say,
        "say_why": partial(page_sections.say_why, words=words),
        "total": total,
        "say_skipped": partial(page_sections.say_skipped, words=words),
        "why_empty": partial(page_sections.say_not_connected, connected=connected, words=words),
        "facts": facts,
        "company": company,
    }
    return environment.get_template("page.html").render(
        sections=SECTIONS,
        style=Markup(read_template("page.css")),
        script=Markup(script),
        script_hash=hash_script(script),
        data=embed(page_sections.list_page_data(facts, company, words)),
        details=[(customer, embed(detail)) for customer, detail in details.items()],
        trust=page_sections.judge_trust(facts, words),
        queue=page_sections.group_calls(facts.queue),
        upsell=page_sections.group_calls(
            [row for row in facts.warnings if row["kind"] == "upsell"], page_sections.UPSELL_ROWS
        ),
        changes=page_sections.count_changes(facts.changes),
        mix=page_sections.mix_usage(facts.usage_mix),
        matrix=page_sections.lay_out_matrix(facts.transition_matrix),
        link=page_sections.compare_renewal(facts.north_star_link),
        cohorts=page_sections.lay_out_cohorts(facts.renewal_cohorts),
        onboarding=page_sections.list_onboarding(facts.onboarding),
        audit=page_audit.count_findings(facts.audit_rules, len(facts.audit_findings)),
        unseen_rules=page_audit.say_unseen(connected, words),
        charts=draw_charts(facts, words, company.currency),
        windows_left_out=len(facts.retention_history)
        - len(charts.choose_windows(facts.retention_history)),
        sparks={
            "arr": charts.draw_spark([row["arr"] for row in facts.arr_history]),
            "nrr": charts.draw_spark([row["nrr"] for row in facts.retention_history]),
            "grr": charts.draw_spark([row["grr"] for row in facts.retention_history]),
            "north_star": charts.draw_spark([row["north_star"] for row in facts.north_star]),
        },
    )


def draw_charts(facts: PageFacts, words: Words, currency: str) -> dict[str, Markup | None]:
    """Each chart as SVG; None where there is too little to draw."""

    def draw(chart: Callable[..., str], rows: list[Row], *also: Any, at_least: int = 1) -> Any:
        return Markup(chart(rows, words, *also)) if len(rows) >= at_least else None

    shares = [row for row in facts.usage_mix if row["customer_share"] is not None]
    moved = any(row[kind] for row in facts.bridge for kind in charts.MOVEMENTS)
    return {
        "usage_mix": draw(charts.draw_usage_mix, shares),
        "north_star": draw(charts.draw_north_star, facts.north_star),
        "growth": draw(charts.draw_growth, facts.north_star, at_least=2),
        "renewals": draw(charts.draw_renewals, facts.renewals_due, currency),
        "bridge": draw(charts.draw_bridge, facts.bridge if moved else [], currency),
        "retention": draw(
            charts.draw_retention, charts.choose_windows(facts.retention_history), at_least=2
        ),
    }


def embed(data: object) -> Markup:
    """JSON that may stand in a script element whatever its texts hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return Markup(text.replace("<", "\\u003c"))


def hash_script(script: str) -> str:
    """The script's source for the content security policy: only this text may run."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def read_template(name: str) -> str:
    """A file of `templates/` as it is."""
    return (files("exports") / "templates" / name).read_text(encoding="utf-8")


def _environment(words: Words) -> Environment:
    environment = Environment(
        loader=PackageLoader("exports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def measured(write: Callable[..., str | None]) -> Callable[..., str | Markup]:
        return lambda value, *digits: write(value, *digits) or words.not_measured()

    environment.filters |= {
        "money": measured(write_money),
        "count": measured(write_number),
        "number": measured(write_number),
        "percent": measured(write_percent),
        "signed": measured(write_signed),
        "day": measured(_write_whole_day),
        "month": measured(write_month),
    }
    return environment


def _write_whole_day(value: dt.date | None) -> Markup | None:
    """A day that no line breaks at its hyphens."""
    day = write_day(value)
    return None if day is None else Markup('<span class="d">{}</span>').format(day)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return round(float(value), 2)
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot stand on the page")
