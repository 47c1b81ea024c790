"""Why a whole file is not admitted, as the one line people read."""

from __future__ import annotations

import re

# What the RuntimeError says that DuckDB makes of ctrl-C within a query.
QUERY_STOPPED = "Query interrupted"


class Refused(Exception):
    """A file that cannot be trusted; the message is the one line people read."""


class StillGrowing(Refused):
    """Somebody is still writing the file: it is left for the next night, nothing is recorded."""


def one_line(error: BaseException | str) -> str:
    """The first line of an error, short, without the paths of our own temporary files."""
    text = str(error).strip() or type(error).__name__
    line = re.sub(r"\s+", " ", text.split("\n\n")[0].split("\nLINE ")[0])
    line = re.sub(r"'?\"?/[^\s'\"]*/_tmp/[^\s'\"]*'?\"?", "the file", line)
    return line[:300]
