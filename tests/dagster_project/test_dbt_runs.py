"""What stands around dbt's calls."""

from __future__ import annotations

import subprocess
import sys

import duckdb

from dagster_project import dbt_runs
from dagster_project.dbt_runs import lines_of, wait_until_free

HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


def test_the_next_night_waits_for_the_dbt_that_a_killed_night_left(tmp_path, monkeypatch):
    file = tmp_path / "use.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as left:
        assert left.stdout is not None and left.stdout.readline() == "held\n"
        waits = []

        def end_while_waiting(seconds: float) -> None:
            waits.append(seconds)
            left.communicate("\n")

        monkeypatch.setattr(dbt_runs.time, "sleep", end_while_waiting)
        wait_until_free(file)
    assert waits == [0.5]
    duckdb.connect(file).close()


def test_a_test_that_warns_is_told_in_one_line_and_refuses_nothing():
    results = [
        {"unique_id": "model.health.calendar", "status": "success", "message": "OK"},
        {"unique_id": "test.health.assert_this", "status": "warn", "message": "Got 2\n results"},
    ]
    assert lines_of(results, {"warn"}) == ["assert_this: Got 2 results"]
    assert lines_of(results, {"error", "fail"}) == []


def test_where_memory_ends_the_line_names_the_setting():
    message = """Runtime Error in model big (models/big.sql)
      Out of Memory Error: failed to pin block (5.5 GiB/5.5 GiB used)

      Possible solutions:
      * Reducing the number of threads (SET threads=X)"""
    (line,) = lines_of(
        [{"unique_id": "model.health.big", "status": "error", "message": message}], {"error"}
    )
    assert line == (
        "big: Runtime Error in model big (models/big.sql) Out of Memory Error: failed to pin block"
        " (5.5 GiB/5.5 GiB used) Raise memory_limit in customer_health.yml,"
        " or run where there is more memory."
    )
