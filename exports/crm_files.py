"""What goes back to the CRM: changed scores with the values before, and the queue to fill in."""

import datetime as dt
import json
from pathlib import Path

import duckdb

from exports.descriptions import Description
from exports.private_file import literal
from exports.staging import StagedTable
from exports.tables import Export

CRM_WRITEBACK = Export("crm_writeback", key=("customer_id",))
WARNING_ACTIONS = Export("warning_actions", key=("playbook_run_id",))

DESCRIPTIONS = {
    "crm_writeback": Description(
        "One row per customer whose score (to one decimal), band or open warnings changed since"
        " the last night that was said.",
        {
            "customer_id": "The customer, by the CRM's own id.",
            "as_of_date": "The night that says this.",
            "health_score": "Health score, 0 to 100, one decimal; empty when not known.",
            "previous_health_score": "The score of the night before, as said then.",
            "health_band": "Red, yellow, green or unknown.",
            "previous_health_band": "The band of the night before, as said then.",
            "open_warnings": "Open warnings, `kind:reason_code`, separated by spaces.",
            "previous_open_warnings": "Open warnings of the night before, as said then.",
        },
    ),
    "warning_actions": Description(
        "One row per open warning. Fill in action, snoozed_until and note and drop the file into"
        " the inbox as `playbook_runs`: an action ends the warning, `skipped` leaves it open, a"
        " date in snoozed_until keeps it quiet until then.",
        {
            "playbook_run_id": "Key of the playbook run: the warning's.",
            "customer_id": "The customer, by the CRM's own id.",
            "customer_name": "The customer's name.",
            "owner_id": "The CSM who owns the customer; empty without an owner.",
            "warning_id": "The warning.",
            "kind": "Risk or upsell.",
            "trigger": "The reason that opened the warning.",
            "playbook": "The playbook to run; the reason where the rules name none.",
            "opened_on": "Day the warning was opened.",
            "due_on": "Day by which to act.",
            "due_arr": "ARR due in the next 12 months, company currency a year.",
            "rank": "Rank in the owner's queue.",
            "is_within_budget": "Whether the owner has time for it this week.",
            "action": "To fill in: what was done, or `skipped`.",
            "snoozed_until": "To fill in: the day on which to ask again; until then it rests.",
            "note": "To fill in: free text.",
        },
    ),
}


def find_said_before(scores_folder: Path, as_of_date: dt.date) -> Path | None:
    """The folder of what was said last on the last date before tonight; None on a first night.

    `scores/said.jsonl` keeps the order of what was said. A night repeated finds the same folder.
    """
    record = scores_folder / "said.jsonl"
    if not record.is_file():
        return None
    tonight = as_of_date.isoformat()
    last: tuple[str, str] | None = None
    for line in record.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # a line cut by a kill was never said
        said = (str(entry["as_of_date"]), str(entry["run_id"]))
        if said[0] < tonight and (last is None or said[0] >= last[0]):
            last = said
    return scores_folder / last[0] / last[1] if last else None


def stage_crm_writeback(
    connection: duckdb.DuckDBPyConnection,
    tables: dict[str, StagedTable],
    said_before: Path | None,
    as_of_date: dt.date,
    folder: Path,
) -> StagedTable:
    """Customers whose score, band or open warnings changed, with the values said the night before.

    Customers that no longer have a score stand with empty values.
    """
    before = {
        name: (said_before / f"{name}.parquet") if said_before else None
        for name in ("health_scores", "churn_warnings")
    }
    query = f"""
        with now_said as ({_said(tables["health_scores"].path, tables["churn_warnings"].path)}),
        said_before as ({_said(before["health_scores"], before["churn_warnings"])})
        select
            customer_id,
            date '{as_of_date}' as as_of_date,
            now_said.health_score,
            said_before.health_score as previous_health_score,
            now_said.health_band,
            said_before.health_band as previous_health_band,
            now_said.open_warnings,
            said_before.open_warnings as previous_open_warnings
        from now_said
        full join said_before using (customer_id)
        where (now_said.health_score, now_said.health_band, now_said.open_warnings)
            is distinct from
            (said_before.health_score, said_before.health_band, said_before.open_warnings)
        order by customer_id"""
    return _stage(connection, CRM_WRITEBACK, query, folder)


def stage_warning_actions(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, StagedTable], folder: Path
) -> StagedTable:
    """The open warnings by owner and rank, with the columns a CSM fills in left empty."""
    query = f"""
        select
            warnings.warning_id as playbook_run_id,
            warnings.customer_id,
            customers.customer_name,
            nullif(warnings.csm_id, 'unassigned') as owner_id,
            warnings.warning_id,
            warnings.kind,
            warnings.reason_code as trigger,
            coalesce(warnings.playbook, warnings.reason_code) as playbook,
            warnings.opened_on,
            warnings.due_date as due_on,
            warnings.due_arr,
            warnings.rank,
            warnings.is_within_budget,
            cast(null as varchar) as action,
            cast(null as date) as snoozed_until,
            cast(null as varchar) as note
        from read_parquet({literal(tables["churn_warnings"].path)}) as warnings
        left join read_parquet({literal(tables["customer_360"].path)}) as customers
            using (customer_id)
        where warnings.closed_on is null
        order by owner_id nulls last, rank nulls last, playbook_run_id"""
    return _stage(connection, WARNING_ACTIONS, query, folder)


def _said(scores: Path | None, warnings: Path | None) -> str:
    """SQL of one row per customer: score to one decimal, band, open warnings as one text."""
    scored = (
        f"select customer_id, cast(health_score as decimal(5, 1)) as health_score, health_band"
        f" from read_parquet({literal(scores)})"
        " qualify as_of_date = max(as_of_date) over ()"
        if scores and scores.is_file()
        else "select null::varchar as customer_id, null::decimal(5, 1) as health_score,"
        " null::varchar as health_band where false"
    )
    warned = (
        "select customer_id, string_agg(kind || ':' || reason_code, ' '"
        " order by kind, reason_code, warning_id) as open_warnings"
        f" from read_parquet({literal(warnings)}) where closed_on is null group by customer_id"
        if warnings and warnings.is_file()
        else "select null::varchar as customer_id, null::varchar as open_warnings where false"
    )
    return (
        "select customer_id, health_score, health_band, open_warnings"
        f" from ({scored}) full join ({warned}) using (customer_id)"
    )


def _stage(
    connection: duckdb.DuckDBPyConnection, export: Export, query: str, folder: Path
) -> StagedTable:
    path = folder / f"{export.name}.parquet"
    connection.execute(f"copy ({query}) to {literal(path)} (format parquet)")
    columns = connection.execute(f"describe select * from read_parquet({literal(path)})").fetchall()
    count = connection.execute(f"select count(*) from read_parquet({literal(path)})").fetchone()
    assert count is not None
    return StagedTable(export, path, {row[0]: row[1] for row in columns}, int(count[0]))
