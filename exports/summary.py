"""What a night says when it ends, read from the published file."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from exports.page_facts import Row, read_page_facts
from exports.page_words import Words
from exports.private_file import literal
from exports.publication import PublicationReport

TOP_WARNINGS = 5


@dataclass(frozen=True)
class NightSummary:
    """The end message in figures; None is "not measured".

    Ratios are quotients, money in the company's currency.
    `rows_*` are the rows delivered so far, over all sources; `top_warnings` holds customer_name,
    csm, reason_code, due_date, due_arr.
    """

    run_id: str
    as_of_date: dt.date
    is_reconstructed: bool
    rows_in: int
    rows_accepted: int
    rows_quarantined: int
    rows_duplicate: int
    alarms: list[Row]
    customer_count: int
    paying_count: int
    arr: Decimal | None
    north_star: int | None
    north_star_week: dt.date | None
    grr: Decimal | float | None
    nrr: Decimal | float | None
    retention_end: dt.date | None
    verdict: str | None
    warning_count: int
    top_warnings: list[Row]
    audit_warnings: list[str]
    database: Path
    folder: Path
    dashboard: Path
    copied_to: str | None
    copy_error: str | None


def summarise_night(report: PublicationReport) -> NightSummary:
    """Reads the summary of what was just published."""
    facts = read_page_facts(report.database)
    yearly = next((row for row in facts.retention_now if row["window_months"] == 12), None)
    week = facts.north_star[-1] if facts.north_star else None
    rows = _sum_rows(report.database)
    return NightSummary(
        run_id=report.night.run_id,
        as_of_date=report.night.as_of_date,
        is_reconstructed=report.night.is_reconstructed,
        rows_in=rows[0],
        rows_accepted=rows[1],
        rows_quarantined=rows[2],
        rows_duplicate=rows[3],
        alarms=facts.alarms,
        customer_count=facts.totals["customer_count"],
        paying_count=facts.totals["paying_count"],
        arr=facts.totals["arr"],
        north_star=week["north_star"] if week else None,
        north_star_week=week["week_start"] if week else None,
        grr=yearly["grr"] if yearly else None,
        nrr=yearly["nrr"] if yearly else None,
        retention_end=yearly["window_end"] if yearly else None,
        verdict=facts.verdict,
        warning_count=len(facts.queue),
        top_warnings=[
            {
                name: row[name]
                for name in (
                    "customer_id",
                    "customer_name",
                    "csm",
                    "reason_code",
                    "due_date",
                    "due_arr",
                )
            }
            for row in facts.queue[:TOP_WARNINGS]
        ],
        audit_warnings=[str(finding) for finding in report.warnings],
        database=report.database,
        folder=report.folder,
        dashboard=report.dashboard,
        copied_to=report.copied_to,
        copy_error=report.copy_error,
    )


def say_summary(summary: NightSummary, currency: str) -> list[str]:
    """The summary as plain lines for a terminal or a log."""
    lines = [
        f"Night of {summary.as_of_date}, run {summary.run_id}"
        + (", reconstructed" if summary.is_reconstructed else ""),
        f"Rows in {summary.rows_in:,} = accepted {summary.rows_accepted:,}"
        f" + quarantined {summary.rows_quarantined:,} + duplicate {summary.rows_duplicate:,}",
    ]
    lines += [
        f"Alarm: {alarm['kind']}"
        + (f" ({alarm['entity']})" if alarm["entity"] else "")
        + f", since {alarm['opened_on']}"
        + f": {alarm['detail'] or 'no detail'}"
        for alarm in summary.alarms
    ] or ["Alarms: none"]
    lines += [f"Audit: {warning}" for warning in summary.audit_warnings]
    lines.append(
        f"Customers {summary.customer_count:,}, paying {summary.paying_count:,}, ARR "
        + (f"{summary.arr:,.0f} {currency}" if summary.arr is not None else "not measured")
    )
    if summary.north_star is not None:
        lines.append(
            f"North star {summary.north_star:,} customers (week of {summary.north_star_week})"
        )
    else:
        lines.append(
            "North star not measured: it needs product_events that name their user_id and, under "
            "`use:`, value_events or core_events"
        )
    if summary.grr is not None and summary.nrr is not None:
        lines.append(
            f"GRR {summary.grr:.1%}, NRR {summary.nrr:.1%} (12 months to {summary.retention_end})"
        )
    else:
        lines.append("GRR and NRR not measured")
    if summary.verdict:
        lines.append(summary.verdict)
    first = f", the first {len(summary.top_warnings)} to act on" if summary.top_warnings else ""
    lines.append(f"Open risk warnings {summary.warning_count:,}{first}")
    for warning in summary.top_warnings:
        due = f", act by {warning['due_date']}" if warning["due_date"] else ""
        arr = f", ARR due {warning['due_arr']:,.0f} {currency}" if warning["due_arr"] else ""
        name = " ".join(str(warning["customer_name"] or warning["customer_id"]).splitlines())
        reason = Words("en").reason(warning["reason_code"])
        lines.append(f"  {name}: {reason}{due}{arr}")
    lines += [
        f"Page      {summary.dashboard}",
        f"Tables    {summary.folder}",
        f"Database  {summary.database}",
    ]
    if summary.copied_to:
        lines.append(f"Copy      {summary.copied_to}")
    if summary.copy_error:
        lines.append(f"Copy      {summary.copy_error}")
    return lines


def _sum_rows(database: Path) -> tuple[int, int, int, int]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"attach {literal(database)} as published (read_only)")
        row = connection.execute(
            "select coalesce(sum(delivered), 0), coalesce(sum(accepted), 0),"
            " coalesce(sum(quarantined), 0), coalesce(sum(duplicate), 0)"
            " from published.main.data_health"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])
