"""`python -m dagster_project.dbt_command ARGUMENTS...`: dbt, with what set-up has parsed.

Other vars or another data root make dbt parse anew, for seconds a night. No model or test of ours
is parsed into another for the sake of a var (a test compares), so one parse serves every company.
"""

from __future__ import annotations

import sys

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from dagster_project.dbt_manifest import PARSED


def main(arguments: list[str]) -> int:
    """Run dbt; 0 when all went well, 1 when a node is red, 2 when dbt itself could not go on."""
    manifest = Manifest.from_msgpack(PARSED.read_bytes())
    done = dbtRunner(manifest=manifest).invoke(arguments)
    if done.exception:
        print(done.exception, file=sys.stderr)
        return 2
    return 0 if done.success else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
