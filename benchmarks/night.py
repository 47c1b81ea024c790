"""Wall time and peak memory of whole nights: `python benchmarks/night.py --help`.

Generates a sample company of the given size once, then runs its night several times into fresh data
roots and prints the median. Each night is a process of its own; its peak is that of its largest
process (dbt runs in a child).
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = str(Path(sys.executable).parent / "customer-health")


def run(*arguments: str) -> float:
    """Seconds that a command took; raises CalledProcessError when it fails."""
    started = time.monotonic()
    subprocess.run([COMMAND, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", default="400")
    parser.add_argument("--months", default="36")
    parser.add_argument("--events")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        company = Path(folder) / "company"
        size = ["--customers", options.customers, "--months", options.months]
        size += ["--events", options.events] if options.events else []
        print(f"sample       {run('sample', str(company), *size):7.1f} s")
        config = ["--config", str(company / "customer_health.yml")]
        first, again = [], []
        for number in range(options.runs):
            home = ["--home", str(Path(folder) / f"home-{number}")]
            first.append(run("nightly", *config, *home))
            again.append(run("nightly", *config, *home))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"first night  {statistics.median(first):7.1f} s median of {options.runs}")
    print(f"same again   {statistics.median(again):7.1f} s median of {options.runs}")
    print(f"peak memory  {peak:7.0f} MiB, largest process")


if __name__ == "__main__":
    main()
