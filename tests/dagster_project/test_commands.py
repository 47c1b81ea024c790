"""The command line: exit codes, one clear line, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.home import Home, NightRunning, one_night_at_a_time

COMMAND = str(Path(sys.executable).parent / "customer-health")
EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.endswith("_DATA")}
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env=clean | environment,
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


def test_a_second_night_on_the_same_data_root_is_refused_with_exit_3(tmp_path):
    (tmp_path / "customer_health.yml").write_text(
        "sources: {b: {format: csv, location: inbox, entities: {subscriptions: {files: a.csv}}}}\n"
    )
    with one_night_at_a_time(Home(tmp_path / "var")):
        done = run("nightly", folder=tmp_path)
    assert done.returncode == 3
    assert "another night is running" in done.stderr


def test_the_lock_can_be_taken_again_by_its_own_process(tmp_path):
    with one_night_at_a_time(Home(tmp_path)), one_night_at_a_time(Home(tmp_path)):
        pass
    with one_night_at_a_time(Home(tmp_path)):
        pass
    assert issubclass(NightRunning, Exception)
