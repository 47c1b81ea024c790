"""`python -m tests.dbt_compile PARSED ARGUMENTS...`: dbt, with what it has parsed before.

Other vars make it parse anew, which takes longer than to compile; no model of ours refers to
another for the sake of a var, so what was parsed under the defaults holds.
"""

import sys
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest


def main(parsed: str, *arguments: str) -> None:
    manifest = Manifest.from_msgpack(Path(parsed).read_bytes())
    result = dbtRunner(manifest=manifest).invoke(list(arguments))
    if not result.success:
        sys.exit(str(result.exception or result.result))


if __name__ == "__main__":
    main(*sys.argv[1:])
