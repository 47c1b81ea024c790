"""`customer-health status` and `query`, on a published file made by hand."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import duckdb
import pytest

from dagster_project.explain import _told
from dagster_project.home import Home
from dagster_project.published import print_query, print_rows
from dagster_project.summary import print_status
from dagster_project.terminal import OUT
from dagster_project.trial import Trial, print_trial
from exports.last_run import LastRun, write_last_run
from scoring.memory import SaidNight

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
    assert head.split()[:4] == ["entity", "status", "last_file", "days_old"]
    assert "customers  fresh   2026-06-30       246" in printed
    assert "days_old is the age of the newest event in them" in printed


def test_the_sources_of_a_status_are_a_line_each_on_eighty_columns(home, capsys, monkeypatch):
    with duckdb.connect(home.published_file) as connection:
        connection.execute("update data_health set entity = 'feature_entitlements'")
    monkeypatch.setattr(OUT, "width", 80)
    print_status(home, as_json=False)
    (line,) = [
        line
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("feature_entitlements")
    ]
    assert line.split() == ["feature_entitlements", "fresh", "2026-06-30", "246", "24", "1"]


def test_figures_stand_right_even_where_the_first_is_unknown(capsys):
    print_rows([{"score": None, "name": "a"}, {"score": 1.5, "name": "b"}])
    assert capsys.readouterr().out.splitlines() == ["score  name", "       a   ", " 1.50  b   "]


def test_status_tells_machines_the_same(home, capsys):
    print_status(home, as_json=True)
    (customers,) = json.loads(capsys.readouterr().out)["data_health"]
    assert (customers["last_delivered_on"], customers["freshness_hours"]) == ("2026-06-30", 5904)


def test_drivers_are_told_in_words():
    warned = (
        '[{"code": "low_survey", "sentence": "Low."}, {"code": "no_owner", "sentence": "None."}]'
    )
    likely = '[{"code": "base", "log_odds": -2.9}, {"code": "usage_level", "log_odds": 0.241}]'
    assert _told({"drivers": warned}) == {"drivers": "Low. None."}
    assert _told({"drivers": likely}) == {"drivers": "base -2.90; usage level +0.24"}
    assert _told({"drivers": None, "reason": "said above"}) == {"drivers": None}


@pytest.mark.parametrize("sql", ["", "-- nothing", "select 1 where false"])
def test_a_query_that_asks_nothing_has_no_rows(home, capsys, sql):
    print_query(home, sql, as_json=False)
    assert capsys.readouterr().out == "no rows\n"


def test_a_trial_names_who_changes_with_count_and_arr_and_sets_the_cards_side_by_side(capsys):
    names = {"a": "Acme", "b": "Bolt", "c": "Cid"}
    said = [
        ("band", "green -> red", "a", "green", "red"),
        ("band", "green -> red", "b", "green", "red"),
        ("risk warning", "opened", "c", None, "no_owner, usage_down"),
    ]
    columns = ("subject", "change", "customer_id", "before", "after")
    figure = {"auc": 0.7, "auc_low": 0.6, "auc_high": 0.8, "precision_at_k": None}
    figure |= {"recall_at_k": 0.5, "recall_low": None, "recall_high": None}
    figure |= {"horizon_days": 90}
    card = figure | {"flips_per_customer_year": None, "verdict": "It helps."}
    trial = Trial(
        night=SaidNight(NIGHT, "abc"),
        config_file=Path("new.yml"),
        currency="EUR",
        notes=(),
        differences=[
            dict(zip(columns, row, strict=True)) | {"customer_name": names[row[2]]} for row in said
        ],
        totals=[
            {"subject": "band", "change": "green -> red", "customer_count": 2, "arr": 3000.0},
            {"subject": "risk warning", "change": "opened", "customer_count": 1, "arr": 0.0},
        ],
        cards=(card, card | {"horizon_days": 60, "auc": None, "verdict": "Too few."}),
    )
    print_trial(trial, as_json=False)
    printed = capsys.readouterr().out
    assert "band: green -> red: 2 customers, ARR 3,000 EUR\n  Acme (a)\n  Bolt (b)\n" in printed
    assert (
        "risk warning: opened: 1 customer, ARR 0 EUR\n  Cid (c): no owner, usage down\n" in printed
    )
    assert "horizon    90 | 60 days" in printed
    assert "auc        0.70 (0.60 to 0.80) | not measured" in printed
    assert "recall     0.50 | 0.50" in printed and "new        Too few." in printed
