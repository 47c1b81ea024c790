"""The command line: exit codes, one clear line, no traceback."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from dagster_project import command_line
from dagster_project.config import ConfigurationError
from dagster_project.dates import refuse_future, today_in
from dagster_project.home import Home, NightRunning, one_night_at_a_time
from dagster_project.night import Night
from dagster_project.nightly import run_night
from dagster_project.terminal import print_json
from tests.dagster_project.nights import tree

COMMAND = [sys.executable, "-m", "dagster_project.command_line"]
EXAMPLES = Path(__file__).parents[2] / "examples"
# The command, asked to stop in the middle of its work; a shell may have had ctrl-C ignored.
STOPPED_WITHIN_SAMPLE = """
import signal, sys
import sample_company.generate
from dagster_project.command_line import main

signal.signal(signal.SIGINT, signal.default_int_handler)
sample = sys.modules["sample_company.generate"]
sample.generate = lambda *_, **__: signal.raise_signal({asked})
main()
"""


def run(
    *arguments: str, folder: Path, command: Sequence[str] = COMMAND, **environment: str
) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.endswith("_DATA")}
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=clean | {"PYTHONPATH": str(EXAMPLES.parent)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_configuration_is_one_line_and_exit_2(tmp_path):
    done = run("nightly", folder=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "customer-health init" in done.stderr


def test_a_wrong_date_is_one_line_and_exit_2(tmp_path):
    done = run("nightly", "--as-of", "31.12.2023", folder=tmp_path)
    assert done.returncode == 2
    assert "YYYY-MM-DD" in done.stderr


def test_a_day_that_has_not_begun_is_one_line_and_exit_2(tmp_path):
    (tmp_path / "customer_health.yml").write_text(
        "sources: {b: {format: csv, location: inbox, entities: {subscriptions: {files: a.csv}}}}\n"
    )
    done = run("nightly", "--as-of", "9999-01-01", folder=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "has not begun" in line
    assert not (tmp_path / "var").exists()


def test_a_day_has_begun_when_it_has_in_the_company():
    """When it is noon in UTC, Kiritimati already has tomorrow."""
    noon = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    assert today_in("UTC", noon) == dt.date(2026, 11, 23)
    assert today_in("Pacific/Kiritimati", noon) == dt.date(2026, 11, 24)
    refuse_future(dt.date(2026, 11, 24), today=dt.date(2026, 11, 24))
    with pytest.raises(ConfigurationError, match="the last one that is over is 2026-11-22"):
        refuse_future(dt.date(2026, 11, 24), today=dt.date(2026, 11, 23))


@pytest.mark.parametrize("example", ["crm_saas", "mrr_playbook", "cdnow"])
def test_an_example_without_its_data_says_where_such_data_come_from(example, tmp_path):
    config = str(EXAMPLES / example / "customer_health.yml")
    done = run("nightly", "--config", config, folder=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"{example.upper()}_DATA" in done.stderr and "the folder with" in done.stderr


def test_asking_before_the_first_night_says_so(tmp_path):
    for command in (["query", "select 1"], ["status"], ["explain", "acme"]):
        done = run(*command, folder=tmp_path)
        assert done.returncode == 2
        assert "customer-health nightly" in done.stderr


def test_json_is_what_machines_read(capsys):
    moment = dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    print_json(
        [
            {"mrr": Decimal("1.50"), "n": 3, "rate": float("nan"), "known_at": moment},
            {"day": dt.date(2024, 2, 29), "is_on": True, "name": "Köln", "list": (1, None)},
        ]
    )
    printed = capsys.readouterr().out
    assert "NaN" not in printed
    assert json.loads(printed) == [
        {"mrr": 1.5, "n": 3, "rate": None, "known_at": "2024-02-29T10:30:00Z"},
        {"day": "2024-02-29", "is_on": True, "name": "Köln", "list": [1, None]},
    ]


def test_check_answers_machines_even_when_a_file_is_refused(tmp_path):
    (tmp_path / "customer_health.yml").write_text(
        "sources: {b: {format: csv, location: inbox, entities: {subscriptions: {files: a.csv}}}}\n"
    )
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/a.csv").write_text("<html>Sign in</html>\n")
    done = run("check", "--json", folder=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["files"][0]["report"]["status"] == "refused"


def test_check_passes_with_rows_for_the_quarantine_and_says_how_many(tmp_path):
    (tmp_path / "customer_health.yml").write_text(
        "sources: {b: {format: csv, location: inbox, entities: {customers: {files: a.csv},"
        " contacts: {files: b.csv}}}}\n"
    )
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/a.csv").write_text("customer_id,created_at,tone\n1,,x\n2,soon,x\n3,,y\n")
    done = run("check", folder=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "customers            a.csv: 3 in = 2 accepted + 1 quarantined + 0 duplicate",
        "    taken by our names: customer_id",
        "    not mapped, kept as attributes: tone",
        "    would be quarantined: line 3, created_at: not a timestamp: soon",
        "    hint: timestamps are read as ISO 8601; say otherwise with `timestamp_format:`, such as"
        ' "%d.%m.%Y %H:%M" or epoch_milliseconds; days without a time are read by `date_format:`'
        " (beside the source's `format:`)",
        f"contacts: no file found (b: {tmp_path}/inbox/b.csv)",
        "1 file, 0 refused; 3 rows in = 2 accepted + 1 quarantined + 0 duplicate",
    ]


def test_check_says_once_how_the_columns_of_files_that_are_alike_are_read(tmp_path):
    (tmp_path / "customer_health.yml").write_text(
        "sources: {b: {format: csv, location: inbox, entities: {customers: {files: '*.csv',"
        " columns: {customer_id: id}}}}}\n"
    )
    (tmp_path / "inbox").mkdir()
    for name, text in (("a", "id\n1\n"), ("b", "id\n2\n"), ("c", "id,tone\n3,x\n")):
        (tmp_path / f"inbox/{name}.csv").write_text(text)
    done = run("check", folder=tmp_path)
    landed = "1 in = 1 accepted + 0 quarantined + 0 duplicate"
    assert done.stdout.splitlines() == [
        f"customers            a.csv: {landed}",
        "    customer_id <- id",
        f"customers            b.csv: {landed}",
        f"customers            c.csv: {landed}",
        "    customer_id <- id",
        "    not mapped, kept as attributes: tone",
        "3 files, 0 refused; 3 rows in = 3 accepted + 0 quarantined + 0 duplicate",
    ]


def test_a_replay_names_what_there_is_to_replay(tmp_path):
    (tmp_path / "customer_health.yml").write_text(
        "sources: {b: {format: csv, location: inbox, entities: {subscriptions: {files: a.csv}}}}\n"
    )
    done = run("replay", "order", folder=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "no source feeds 'order'; fed are subscriptions\n",
    )
    done = run("replay", folder=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("nothing to admit again")


def test_the_next_command_can_be_copied_wherever_the_folder_lies(tmp_path):
    folder = tmp_path / "Müller & Söhne"
    done = run("init", str(folder), folder=tmp_path)
    assert f"check --config '{folder}/customer_health.yml'`" in done.stdout


def test_help_fills_its_lines(tmp_path):
    done = run("check", "--help", folder=tmp_path, COLUMNS="80")
    text = " ".join(done.stdout.split())
    assert "1 where a file would be refused or a source cannot be read; 2 for a wrong" in text
    (line,) = [line for line in done.stdout.splitlines() if "would be refused" in line]
    assert "or a source" in line


def test_a_second_night_on_the_same_data_root_is_refused_with_exit_3(tmp_path):
    (tmp_path / "customer_health.yml").write_text(
        "sources: {b: {format: csv, location: inbox, entities: {subscriptions: {files: a.csv}}}}\n"
    )
    with one_night_at_a_time(Home(tmp_path / "var")):
        done = run("nightly", folder=tmp_path)
    assert done.returncode == 3
    assert "another night is running" in done.stderr


def test_a_data_root_that_is_a_file_is_one_line_and_exit_2(tmp_path):
    (tmp_path / "customer_health.yml").write_text(
        "sources: {b: {format: csv, location: inbox, entities: {subscriptions: {files: a.csv}}}}\n"
    )
    (tmp_path / "var").write_text("not a folder")
    done = run("nightly", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith(f"{tmp_path / 'var'}: cannot be")
    assert "Traceback" not in done.stderr


def test_a_query_that_is_asked_to_stop_ends_as_any_command(monkeypatch, capsys):
    def stopped() -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(command_line, "app", stopped)
    monkeypatch.setattr(command_line.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as ending:
        command_line.main()
    assert ending.value.code == 130
    assert capsys.readouterr().err.startswith("Stopped before the end")


@pytest.mark.parametrize(
    "size", [("--customers", "9"), ("--months", "11"), ("--events", "999"), ("--users", "0")]
)
def test_a_sample_company_too_small_to_be_one_is_wrong_usage(tmp_path, size):
    done = run("sample", "company", *size, folder=tmp_path)
    assert done.returncode == 2 and f"Invalid value for '{size[0]}'" in done.stderr
    assert not (tmp_path / "company").exists()


def test_a_sample_company_is_not_written_over_a_company(tmp_path):
    assert run("init", "acme", folder=tmp_path).returncode == 0
    before = tree(tmp_path)
    done = run("sample", "acme", folder=tmp_path)
    assert done.returncode == 2
    assert "acme/customer_health.yml: exists already; choose another folder" in done.stderr
    assert tree(tmp_path) == before


def test_a_command_whose_reader_has_left_goes_on_unseen(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "init", "acme"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(EXAMPLES.parent)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "acme" / "customer_health.yml").exists()


def test_the_lock_can_be_taken_again_by_its_own_process(tmp_path):
    with one_night_at_a_time(Home(tmp_path)), one_night_at_a_time(Home(tmp_path)):
        pass
    with one_night_at_a_time(Home(tmp_path)):
        pass
    assert issubclass(NightRunning, Exception)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_asked_to_stop_says_one_line_and_exits_with_130(tmp_path, asked):
    stopped = tmp_path / "stopped.py"
    stopped.write_text(STOPPED_WITHIN_SAMPLE.format(asked=int(asked)))
    done = run("sample", "company", folder=tmp_path, command=[sys.executable, str(stopped)])
    assert done.returncode == 130
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("Stopped before the end")


def test_a_night_that_is_asked_to_stop_is_stopped_like_any_command(tmp_path, monkeypatch):
    class Stopped:
        def resolve_job_def(self, name: str) -> Stopped:
            return self

        def execute_in_process(self, **given: object) -> None:
            raise dg.DagsterExecutionInterruptedError

    monkeypatch.setattr("dagster_project.nightly.definitions", lambda night: Stopped())
    with pytest.raises(KeyboardInterrupt):
        run_night(Night(config_file="none.yml", home_folder=str(tmp_path)))
