"""`customer-health status` and `query`, on a published file made by hand."""

from __future__ import annotations

import datetime as dt
import json

import duckdb
import pytest

from dagster_project.home import Home
from dagster_project.published import print_query
from dagster_project.summary import print_status
from exports.last_run import LastRun, write_last_run

NIGHT = dt.date(2026, 6, 30)


@pytest.fixture
def home(tmp_path) -> Home:
    moment = dt.datetime(2026, 7, 1, 3, tzinfo=dt.UTC)
    write_last_run(tmp_path, LastRun("published", 0, moment, moment, NIGHT, "abc"))
    (tmp_path / "published").mkdir()
    with duckdb.connect(tmp_path / "published" / "current.duckdb") as connection:
        connection.execute("""
            create table runs as select 'abc' as run_id, date '2026-06-30' as as_of_date;
            create table data_alarms as select 'a' as alarm_id, 'abc' as run_id where false;
            create table data_health as
            select
                'customers' as entity, 25 as delivered, 24 as accepted, 1 as quarantined,
                0 as duplicate, 0 as orphaned,
                timestamptz '2025-10-28 00:00:00Z' as latest_event_at,
                date '2026-06-30' as last_delivered_on, 5904.0 as freshness_hours,
                'fresh' as status, 'abc' as run_id
        """)
    return Home(tmp_path)


def test_status_sets_when_files_came_beside_how_old_their_newest_event_is(home, capsys):
    """Customers of whom none is new are old data that came today: both figures stand together."""
    print_status(home, as_json=False)
    printed = capsys.readouterr().out
    (head,) = [line for line in printed.splitlines() if line.startswith("entity")]
    assert head.split()[:5] == [
        "entity",
        "status",
        "last_delivered_on",
        "latest_event_at",
        "freshness_hours",
    ]
    assert "freshness_hours is how old the newest event in them was" in printed


def test_status_tells_machines_the_same(home, capsys):
    print_status(home, as_json=True)
    (customers,) = json.loads(capsys.readouterr().out)["data_health"]
    assert (customers["last_delivered_on"], customers["freshness_hours"]) == ("2026-06-30", 5904)


@pytest.mark.parametrize("sql", ["", "-- nothing", "select 1 where false"])
def test_a_query_that_asks_nothing_has_no_rows(home, capsys, sql):
    print_query(home, sql, as_json=False)
    assert capsys.readouterr().out == "no rows\n"
