"""What is said changes only after it has been seen on several nights said, one after the other.

The one place where confirmation is decided, for bands and for warning reasons alike.
"""

from __future__ import annotations

import polars as pl

# What a night has to remember: the value said, and the value waiting with the nights it was seen.
MEMORY_SCHEMA: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    "subject": pl.String(),
    "said": pl.String(),
    "pending": pl.String(),
    "pending_nights": pl.Int64(),
}


def confirm(seen: pl.DataFrame, nights: int) -> pl.DataFrame:
    """Tonight's memory from what was said before and what is seen tonight.

    `seen` has MEMORY_SCHEMA's columns as remembered from the last night said, and `raw`: tonight's
    own value; null means tonight knows nothing and what was said stays. With nothing said before
    (`said` null) the raw value is said at once.
    """
    raw, said = pl.col("raw"), pl.col("said")
    nights_seen = pl.when(pl.col("pending") == raw).then(pl.col("pending_nights")).otherwise(0) + 1
    is_first = said.is_null()
    is_other = (raw != said).fill_null(False)
    is_confirmed = is_other & (nights_seen >= nights)
    is_waiting = is_other & ~is_confirmed
    return seen.with_columns(
        said=pl.when(is_first | is_confirmed).then(raw).otherwise(said),
        pending=pl.when(is_waiting).then(raw),
        pending_nights=pl.when(is_waiting).then(nights_seen).otherwise(0).cast(pl.Int64),
    )


def empty_memory() -> pl.DataFrame:
    """The memory before the first night."""
    return pl.DataFrame(schema=MEMORY_SCHEMA)
