"""What a night of scoring said, in counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from scoring import churn, health, memory
from scoring.config import Rules


@dataclass(frozen=True)
class ScoreReport:
    """What a night said, in counts; nothing here is needed by another night."""

    as_of_date: date
    run_id: str
    folder: Path
    rules_version: str
    previous_night: date | None
    was_kept: bool
    customer_count: int
    band_counts: dict[str, int]
    mean_score: float | None
    median_score: float | None
    mean_coverage: float | None
    unconnected_components: dict[str, float]
    warning_counts: dict[str, int]
    reason_counts: dict[str, int]
    within_budget_count: int
    expected_saved_arr: float
    base_rate: float
    loss_count: int
    verdict: str


def sum_up(
    night: memory.SaidNight,
    home: Path,
    rules: Rules,
    *,
    connected: frozenset[str],
    last: memory.SaidNight | None,
    is_new: bool,
    scores: pl.DataFrame,
    listed: pl.DataFrame,
    main: churn.Horizon,
    verdict: str,
) -> ScoreReport:
    """The night in counts. `listed`: churn_warnings; `main`: the horizon that warnings use."""
    queue = listed.filter(pl.col("status").is_in(["opened", "ongoing"]))
    saved = queue["expected_saved_arr"].sum()
    return ScoreReport(
        as_of_date=night.as_of_date,
        run_id=night.run_id,
        folder=memory.night_folder(home, night),
        rules_version=rules.rules_version,
        previous_night=last.as_of_date if last else None,
        was_kept=not is_new,
        customer_count=scores.height,
        band_counts=_count(scores, "health_band"),
        mean_score=_number(scores["health_score"].mean()),
        median_score=_number(scores["health_score"].median()),
        mean_coverage=_number(scores["coverage"].mean()),
        unconnected_components=health.unconnected_components(rules, connected),
        warning_counts=_count(
            listed.filter(
                (pl.col("status") != "closed") | (pl.col("closed_on") == night.as_of_date)
            ),
            "status",
        ),
        reason_counts=_count(queue, "reason_code"),
        within_budget_count=int(listed["is_within_budget"].sum()),
        expected_saved_arr=float(saved or 0),
        base_rate=main.rules.base_rate,
        loss_count=main.rules.event_count,
        verdict=verdict,
    )


def _count(rows: pl.DataFrame, column: str) -> dict[str, int]:
    counted = rows.group_by(column).len().sort(column)
    return dict(counted.iter_rows())


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
