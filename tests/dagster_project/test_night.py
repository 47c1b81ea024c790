"""The whole night, as a user runs it: published, repeated, re-delivered, killed, offline."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from sample_company import generate

COMMAND = str(Path(sys.executable).parent / "customer-health")
pytestmark = pytest.mark.xdist_group("night")


def night(company: Path, home: Path, *more: str, prefix: tuple[str, ...] = ()) -> str:
    """Run a night that must be published; returns what it printed."""
    done = subprocess.run(
        [*prefix, *command(company, home), *more], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def command(company: Path, home: Path) -> list[str]:
    config = str(company / "customer_health.yml")
    return [COMMAND, "nightly", "--config", config, "--home", str(home)]


def published_bytes(home: Path) -> dict[str, str]:
    """sha256 of every published file by its name under the export folder, and of the database."""
    exports = (home / "exports" / "current").resolve()
    found = {
        str(path.relative_to(exports)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(exports.rglob("*"))
        if path.is_file()
    }
    database = (home / "published" / "current.duckdb").resolve()
    return found | {database.name: hashlib.sha256(database.read_bytes()).hexdigest()}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    generate(folder, customers=30, months=14, events=20_000)
    return folder


@pytest.fixture(scope="module")
def first(company: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    home = tmp_path_factory.mktemp("first")
    return home, night(company, home)


def ask(home: Path, sql: str) -> list[tuple]:
    with duckdb.connect(home / "published" / "current.duckdb", read_only=True) as connection:
        return connection.execute(sql).fetchall()


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


def test_the_same_night_again_gives_the_same_bytes(company, first):
    before = published_bytes(first[0])
    night(company, first[0])
    assert published_bytes(first[0]) == before
    said = (first[0] / "scores/said.jsonl").read_text().splitlines()
    assert len(said) == 1


def test_files_under_other_names_and_sent_twice_give_the_same_night(company, first, tmp_path):
    again = tmp_path / "company"
    shutil.copytree(company, again)
    for path in sorted((again / "inbox").rglob("*")):
        if path.is_file() and path.name.startswith(("accounts", "order-lines", "tickets")):
            twin = path.with_name(f"z-{path.name}")
            shutil.copy(path, twin)
    text = (again / "customer_health.yml").read_text()
    for name in ("accounts", "order-lines", "tickets"):
        text = text.replace(f'"{name}-*', f'"*{name}-*')
    (again / "customer_health.yml").write_text(text)
    night(again, tmp_path / "home")
    tables = ("customer_360", "mrr_bridge_monthly", "renewals", "customer_usage_daily")
    for table in tables:
        assert (tmp_path / f"home/exports/current/{table}.csv").read_bytes() == (
            first[0] / f"exports/current/{table}.csv"
        ).read_bytes(), table


@pytest.mark.parametrize("stage", ["landed     tickets", "night      of", "scored"])
def test_a_night_killed_half_way_and_run_again_is_the_same_night(stage, company, first, tmp_path):
    started = subprocess.Popen(
        command(company, tmp_path), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert started.stdout is not None
    for line in started.stdout:
        if stage in line:
            break
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    assert not (tmp_path / "published/current.duckdb").exists()
    night(company, tmp_path)
    assert published_bytes(tmp_path) == published_bytes(first[0])


def test_a_night_needs_no_network(company, tmp_path, first):
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no network namespaces")
    night(company, tmp_path, prefix=("unshare", "-rn"))
    assert published_bytes(tmp_path) == published_bytes(first[0])


def test_a_second_night_remembers_the_first(company, first, tmp_path):
    home = tmp_path / "home"
    day = ask(first[0], "select max(as_of_date)::varchar from customer_360")[0][0]
    night(company, home, "--as-of", "2026-06-29")
    night(company, home)
    said = [json.loads(line) for line in (home / "scores/said.jsonl").read_text().splitlines()]
    assert [entry["as_of_date"] for entry in said] == ["2026-06-29", day]


def test_a_bad_file_is_told_and_the_night_goes_on(company, first, tmp_path):
    broken = tmp_path / "company"
    shutil.copytree(company, broken)
    (broken / "inbox/crm/contacts-2026-07-01.csv").write_text("<html>Sign in</html>\n")
    printed = night(broken, tmp_path / "home")
    assert "contacts-2026-07-01.csv" in printed
    alarms = ask(tmp_path / "home", "select kind, entity from data_alarms")
    assert ("file_refused", "contacts") in alarms


def test_the_commands_that_read_a_night_answer(first):
    home, _ = first
    customer = ask(home, "select customer_id from customer_360 order by mrr desc nulls last")[0][0]
    for arguments in (
        ["status"],
        ["status", "--json"],
        ["explain", customer],
        ["explain", customer, "--json"],
        ["query", "select count(*) as customers from customer_360"],
    ):
        done = subprocess.run(
            [COMMAND, *arguments, "--home", str(home)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def test_a_reader_holds_the_file_open_while_the_next_night_is_published(company, first):
    with duckdb.connect(first[0] / "published/current.duckdb", read_only=True) as reader:
        night(company, first[0])
        assert reader.execute("select count(*) from customer_360").fetchone()
