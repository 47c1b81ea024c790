"""The whole night, as a user runs it: published, repeated, re-delivered, killed, offline."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from decimal import Decimal
from itertools import takewhile

import duckdb

from tests.dagster_project.nights import (
    COMMAND,
    CONTENT,
    ask,
    command,
    disturbed,
    exported_bytes,
    night,
    published_bytes,
    repeated,
    run,
)

# How `customer_360` tells the generator's stories on their last day.
STORIES_SHOWN = {
    "prospect": "status = 'prospect'",
    "trial_only": "status in ('trial', 'prospect')",
    "signed_not_started": "status = 'signed'",
    "pay_as_you_go": "status = 'pay_as_you_go'",
    "cancelled_in_term": "mrr = 0",
    "full_refund": "mrr = 0",
    "business_closed": "status = 'churned'",
    "never_started": "usage_state = 'not_started'",
    "declining": "login_trend = 'down'",
    "dormant": "usage_state = 'dormant'",
    "silent": "usage_state = 'silent'",
    "resurrected": "usage_state = 'resurrected'",
    "used_without_value": "is_used_without_value",
    "onboarding_stuck": "onboarding_status = 'stuck'",
    "failed_onboarding": "onboarding_status = 'failed'",
    "lost_contact": "lost_contact in ('theirs', 'both')",
    "champion_left": "has_champion_left",
    "no_owner": "csm_id is null",
    "owner_left": "csm_id is null",
    "tickets_pile_up": "open_ticket_count > 0",
    "overdue_payment": "overdue_amount > 0",
}


@repeated
def test_a_night_ends_with_a_summary_and_publishes(first):
    home, printed = first
    for word in ("Rows in", "ARR", "North star", "GRR", "warnings", "Page", "Database"):
        assert word in printed
    manifest = json.loads((home / "exports/current/manifest.json").read_text())
    assert manifest["run_id"] in printed
    for file in manifest["files"]:
        content = (home / "exports/current" / file["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert ask(home, "select count(*) from customer_360")[0][0] > 0
    last_run = json.loads((home / "log/last_run.json").read_text())
    assert last_run["outcome"] == "published" and last_run["exit_code"] == 0


@repeated
def test_rows_of_every_file_add_up_to_what_the_generator_wrote(company, first):
    with (company / "truth/files.csv").open(newline="") as stream:
        truth = list(csv.DictReader(stream))
    delivered, quarantined, duplicate = ask(
        first[0],
        "select sum(delivered), sum(quarantined), sum(duplicate) from data_health",
    )[0]
    assert delivered == sum(int(row["rows"]) for row in truth)
    assert quarantined == sum(int(row["bad"]) for row in truth)
    assert duplicate == sum(int(row["duplicate"]) for row in truth)


@repeated
def test_the_same_night_again_gives_the_same_bytes(company, first, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(first[0], home, symlinks=True)
    night(company, home)
    assert published_bytes(home) == published_bytes(first[0])
    said = (home / "scores/said.jsonl").read_text().splitlines()
    assert len(said) == 1


@disturbed
def test_files_renamed_and_sent_twice_without_any_network_give_the_same_night(
    company, first, tmp_path
):
    again = tmp_path / "company"
    shutil.copytree(company, again)
    for path in sorted((again / "inbox").rglob("*")):
        if path.is_file() and path.name.startswith(("accounts", "order-lines", "tickets")):
            shutil.copy(path, path.with_name(f"z-{path.name}"))
    config = again / "customer_health.yml"
    text = config.read_text()
    for name in ("accounts", "order-lines", "tickets"):
        text = text.replace(f'"{name}-*', f'"*{name}-*')
    config.write_text(text)
    offline = ("unshare", "-rn")
    if subprocess.run([*offline, "true"], capture_output=True, check=False).returncode:
        offline = ()  # this machine allows no network namespaces
    night(again, tmp_path / "home", prefix=offline)
    for table in ("customer_360", "mrr_bridge_monthly", "renewals", "customer_usage_daily"):
        assert (tmp_path / f"home/exports/current/{table}.csv").read_bytes() == (
            first[0] / f"exports/current/{table}.csv"
        ).read_bytes(), table


@disturbed
def test_a_night_killed_twice_and_run_again_is_the_same_night(company, first, tmp_path):
    for stage in ("landed     tickets", "night      of"):
        started = subprocess.Popen(
            command(company, tmp_path), stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert started.stdout is not None
        assert any(stage in line for line in started.stdout)
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        assert not (tmp_path / "published/current.duckdb").exists()
    night(company, tmp_path)
    assert exported_bytes(tmp_path) == exported_bytes(first[0])


@repeated
def test_the_next_night_remembers_and_a_bad_file_does_not_stop_it(second):
    home, printed = second
    assert "contacts-2026-07-01.csv" in printed
    assert ("file_refused", "contacts") in ask(home, "select kind, entity from data_alarms")
    said = [json.loads(line) for line in (home / "scores/said.jsonl").read_text().splitlines()]
    assert [entry["as_of_date"] for entry in said] == ["2026-06-30", "2026-07-01"]


@repeated
def test_explain_adds_up_why_a_score_is_not_that_of_last_night(first, second):
    """Of 100 weights 25 had two thirds: 91.67. Tonight's rules weigh the use, which has all
    points, 40 instead of 25: of 115 weights the same 25 lack a third, 92.75. The NPS answer of 3
    leaves sentiment, 5 of them, no point of its 100: 88.41.
    """
    before, now = (
        run(COMMAND, "explain", CONTENT, "--home", str(home)) for home, _ in (first, second)
    )
    changes = cells(now, "changes")
    assert changes == [
        ["sentiment", "-4.35", "Sentiment -4.3 points: last NPS answer 3 of 10 (before: 9)."],
        ["rules", "1.09", "Tonight's rules give the score of 2026-06-30 92.8 instead of 91.7."],
    ]
    scores = [Decimal(cells(printed, "score")[0][0]) for printed in (before, now)]
    assert scores == [Decimal("91.67"), Decimal("88.41")]
    assert sum(Decimal(delta) for _, delta, _ in changes) == scores[1] - scores[0]
    assert "changes: none" in before


def cells(printed: str, title: str) -> list[list[str]]:
    """The rows of a printed table."""
    lines = printed.splitlines()
    heads, *rows = lines[lines.index(title) + 1 :]
    split = (re.split(r"\s{2,}", row.strip()) for row in rows)
    return list(takewhile(lambda row: len(row) == len(heads.split()), split))


@repeated
def test_no_published_table_is_empty_after_two_nights(second):
    """But for changed history and opinions that differ: so small a company has neither."""
    manifest = json.loads((second[0] / "exports/current/manifest.json").read_text())
    empty = {file["table"] for file in manifest["files"] if file.get("rows") == 0}
    assert empty <= {"restatements", "score_disagreements", "signal_restatements"}


@repeated
def test_mrr_and_terms_are_those_the_generator_sold(company, first):
    with duckdb.connect(first[0] / "published/current.duckdb", read_only=True) as connection:
        truth = f"'{company}/truth/customer_months.parquet'"
        months = connection.execute(
            f"""
            select coalesce(truth.customer_id, ours.customer_id), coalesce(truth.mrr, 0), ours.mrr
            from (from {truth} where mrr != 0) as truth
            full join (from customer_mrr_monthly where mrr != 0) as ours
                using (customer_id, month_start)
            where abs(coalesce(truth.mrr, 0) - coalesce(ours.mrr, 0)) >= 0.005
            """
        ).fetchall()
        days = connection.execute(
            f"""
            select truth.customer_id, truth.activity_date
            from '{company}/truth/active_users_daily.parquet' as truth
            left join customer_usage_daily as ours using (customer_id, activity_date)
            where truth.delivered_user_count > 0
                and ours.active_user_count is distinct from truth.delivered_user_count
            """
        ).fetchall()
    assert months == []
    assert days == []


@repeated
def test_the_customers_of_a_story_show_it_on_the_last_day(company, first):
    signs = " ".join(f"when '{story}' then {sign}" for story, sign in STORIES_SHOWN.items())
    with duckdb.connect(first[0] / "published/current.duckdb", read_only=True) as connection:
        shown = connection.execute(
            f"""
            select stories.story, stories.customer_id, coalesce(case story {signs} end, false)
            from '{company}/truth/stories.csv' as stories
            left join customer_360 using (customer_id)
            where list_contains($stories, stories.story)
            """,
            {"stories": list(STORIES_SHOWN)},
        ).fetchall()
    assert len({story for story, _, _ in shown}) > 5
    assert [(story, customer) for story, customer, is_shown in shown if not is_shown] == []


@repeated
def test_the_commands_that_read_a_night_answer(first):
    home, _ = first
    customer = ask(home, "select customer_id from customer_360 order by mrr desc nulls last")[0][0]
    for arguments in (
        ["status"],
        ["explain", customer],
        ["query", "select customer_id, mrr, current_version from customer_360"],
    ):
        for more in ([], ["--json"]):
            done = subprocess.run(
                [COMMAND, *arguments, *more, "--home", str(home)],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert done.stdout.strip()
        json.loads(done.stdout)
