"""What stands around dbt's calls."""

from __future__ import annotations

import subprocess
import sys
import threading

import duckdb

from dagster_project.dbt_runs import wait_until_free

HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


def test_the_next_night_waits_for_the_dbt_that_a_killed_night_left(tmp_path):
    file = tmp_path / "use.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as left:
        assert left.stdout is not None and left.stdout.readline() == "held\n"
        waiting = threading.Thread(target=wait_until_free, args=(file,), kwargs={"step": 0.01})
        waiting.start()
        assert waiting.is_alive()
        left.communicate("\n")
        waiting.join(timeout=60)
    assert not waiting.is_alive()
    duckdb.connect(file).close()
