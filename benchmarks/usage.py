"""The largest company's first load, full rebuild and nights after: `benchmarks/usage.py --help`.

Generates a company with many product events and runs a night into a fresh data root, the same again
without its cache, then the next with a day more of events, and one with 1,000,000 events of which a
tenth is late by up to 60 days. Beside them the bare DuckDB script that computes the same usage
tables in one process. Prints for each the wall time, where it went, the CPU time (which other work
on the machine changes least) and the peak memory of the whole process tree.
Small: `--customers 200 --events 2000000`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb

LAST_DAY = dt.date(2026, 6, 30)
LATE_NIGHT_EVENTS = 1_000_000
COMMAND = [sys.executable, "-m", "dagster_project.command_line"]
# The line of a night's progress that ends each of its parts.
PARTS = {"night  ": "landing", "modelled   facts": "facts", "scored ": "scoring"}


def process_tree(pid: int) -> list[int]:
    """The process and all below it, as Linux knows them."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = children.read_text(encoding="utf-8").split()
        except OSError:
            continue
        for child in below:
            found += process_tree(int(child))
    return found


def resident_bytes(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Watch(threading.Thread):
    """Looks four times a second at what a process and all below it hold in memory."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.peak = 0

    def run(self) -> None:
        while self.process.poll() is None:
            held = sum(resident_bytes(pid) for pid in process_tree(self.process.pid))
            self.peak = max(self.peak, held)
            time.sleep(0.25)


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(name: str, command: list[str], home: Path) -> None:
    """Run a command, print its figures; raises RuntimeError with what it said when it fails."""
    began, cpu = time.monotonic(), cpu_seconds()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watch = Watch(process)
    watch.start()
    assert process.stdout is not None
    marks, said, models = [("start", 0.0)], [], ""
    for line in process.stdout:
        said.append(line)
        for beginning, part in PARTS.items():
            if line.partition(" s  ")[2].startswith(beginning):
                marks.append((part, time.monotonic() - began))
                models = slowest_models(home) if part == "facts" else models
    if process.wait():
        raise RuntimeError("".join(said))
    wall = time.monotonic() - began
    marks.append(("reports and exports" if len(marks) > 1 else "all", wall))
    spent = [f"{marks[i][0]} {marks[i][1] - marks[i - 1][1]:.0f} s" for i in range(1, len(marks))]
    figures = f"{wall:7.1f} s, {cpu_seconds() - cpu:.0f} s CPU, {watch.peak / 2**30:.1f} GiB peak"
    print(f"{name:<14}{figures}: {', '.join(spent)}{models}", flush=True)


def slowest_models(home: Path) -> str:
    """What dbt says of the facts' slowest models, one line each."""
    results = json.loads((home / "cache" / "dbt" / "run_results.json").read_text(encoding="utf-8"))
    times = sorted(
        (result["execution_time"], result["unique_id"].split(".")[2])
        for result in results["results"]
    )
    return "".join(f"\n{'':<14}{seconds:7.1f} s  {model}" for seconds, model in times[:-9:-1])


def deliver(company: Path, day: dt.date, events: int | None = None) -> None:
    """A file of events like those of the last day; of a number asked for, every tenth is late."""
    folder = company / "inbox" / "product"
    late = "case when number % 10 = 0 then 1 + number // 10 % 60 else 0 end" if events else "0"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        last = connection.read_parquet(str(folder / f"events-{LAST_DAY}.parquet"))
        rows = events or len(last)
        connection.execute(
            f"""
            copy (
                select * exclude (number, copy) replace (
                    ts + interval ({(day - LAST_DAY).days} - ({late})) day - interval (copy) second
                    as ts
                )
                from (
                    select *, row_number() over () as number
                    from last cross join range({(rows - 1) // len(last) + 1}) as copies(copy)
                )
                limit {rows}
            ) to '{folder / f"events-{day}.parquet"}'
            """
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", default="10000")
    parser.add_argument("--months", default="24")
    parser.add_argument("--events", default="90000000")
    parser.add_argument("--users", default="300000")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        company, home = Path(folder) / "company", Path(folder) / "home"
        size = ["--customers", options.customers, "--months", options.months]
        size += ["--events", options.events, "--users", options.users]
        measure("sample", [*COMMAND, "sample", str(company), *size], home)
        config = ["--config", str(company / "customer_health.yml"), "--home", str(home)]
        night = [*COMMAND, "nightly", *config, "--as-of"]
        measure("first load", [*night, str(LAST_DAY)], home)
        for file in (home / "cache").glob("use-*"):
            file.unlink()
        measure("full rebuild", [*night, str(LAST_DAY)], home)
        next_day, day_after = (LAST_DAY + dt.timedelta(days=days) for days in (1, 2))
        deliver(company, next_day)
        measure("night after", [*night, str(next_day)], home)
        deliver(company, day_after, LATE_NIGHT_EVENTS)
        measure("late events", [*night, str(day_after)], home)
        bare = Path(__file__).with_name("bare_usage.py")
        measure("bare script", [sys.executable, str(bare), str(home), f"{folder}/bare.db"], home)


if __name__ == "__main__":
    main()
