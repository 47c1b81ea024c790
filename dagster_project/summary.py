"""The end of a night and `customer-health status`, as a person reads them."""

from __future__ import annotations

import json
from typing import Any

from dagster_project.config import ConfigurationError
from dagster_project.home import Home
from dagster_project.published import Row, print_rows, published, read_rows
from dagster_project.terminal import OUT, print_json

SOURCE_COLUMNS = """
    entity, status, last_delivered_on, latest_event_at, freshness_hours, delivered, accepted,
    quarantined, duplicate, orphaned
"""
FRESHNESS = (
    "status tells whether files come (last_file); days_old is the age of the newest event in them "
    "when the night's day ended"
)


def print_summary(home: Home, as_json: bool) -> None:
    """What the publication step wrote into log/last_run.json."""
    last_run = read_last_run(home)
    if as_json:
        print_json(last_run)
        return
    for line in last_run["messages"]:
        OUT.print(line, markup=False)


def read_last_run(home: Home) -> dict[str, Any]:
    """How the last night of a data root ended."""
    found: dict[str, Any] = json.loads((home.log / "last_run.json").read_text(encoding="utf-8"))
    return found


def print_status(home: Home, as_json: bool) -> None:
    """Last run, freshness per source, quarantine, alarms."""
    log = home.log / "last_run.json"
    if not log.exists():
        raise ConfigurationError(f"{log}: no night has run yet; run `customer-health nightly`")
    last_run = read_last_run(home)
    health, alarms, runs = [], [], []
    if home.published_file.exists():
        with published(home) as connection:
            health = read_rows(
                connection,
                f"select {SOURCE_COLUMNS} from data_health"
                " where status != 'not_connected' order by entity",
            )
            alarms = read_rows(
                connection, "select * exclude (run_id) from data_alarms order by all"
            )
            runs = read_rows(connection, "select * from runs order by as_of_date desc limit 5")
    if as_json:
        print_json({"last_run": last_run, "runs": runs, "data_health": health, "alarms": alarms})
        return
    OUT.print(
        f"last run: {last_run['outcome']} at {last_run['finished_at']}, "
        f"night of {last_run['as_of_date']}, {last_run['seconds']} s",
        markup=False,
    )
    if last_run["outcome"] != "published":
        for line in last_run["messages"]:
            OUT.print(f"  {line}", markup=False)
    print_rows(runs, title="published")
    OUT.print()
    print_rows([_in_short(row) for row in health], title="sources")
    if health:
        OUT.print(FRESHNESS, markup=False)
    OUT.print()
    print_rows([_without_id(row) for row in alarms], title="alarms")


def _in_short(source: Row) -> Row:
    """What of a source fits into a line of eighty columns; data_health has the rest."""
    is_dated = source["latest_event_at"] is not None
    return {
        "entity": source["entity"],
        "status": source["status"],
        "last_file": source["last_delivered_on"],
        "days_old": int(source["freshness_hours"] // 24) if is_dated else None,
        "accepted": source["accepted"],
        "quarantined": source["quarantined"],
    }


def _without_id(alarm: Row) -> Row:
    return {name: value for name, value in alarm.items() if name != "alarm_id"}
