"""Stories of several nights, told by score_night on contract folders."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from scoring.config import Language, Rules, load_rules
from scoring.memory import append_said
from scoring.night import score_night
from scoring.summary import ScoreReport
from tests.scoring.contract_frames import NIGHT, customer, write_contract


class Story:
    """A data root in which one night after the other is scored and said."""

    def __init__(self, home: Path, rules: Rules | None = None, language: Language = "en") -> None:
        self.home = home
        self.rules = rules or load_rules()
        self.language = language
        self.next_night = NIGHT

    def night(
        self, *rows: dict[str, Any], skip_days: int = 0, is_said: bool = True, **tables: Any
    ) -> ScoreReport:
        """The next night with these customers (their dates are set to the night's)."""
        on = self.next_night + timedelta(days=skip_days)
        dated = [{**row, "as_of_date": on, "known_on": on} for row in rows]
        folder = write_contract(self.home / "contract", dated, on, **tables)
        run_id = f"run-{on}"
        report = score_night(folder, self.home, self.rules, on, run_id, language=self.language)
        if is_said:
            append_said(self.home, on, run_id)
        self.next_night = on + timedelta(days=1)
        return report

    def again(self, on: date, *rows: dict[str, Any], run_id: str) -> ScoreReport:
        """A night of a given date under a run_id of its own, said as well."""
        dated = [{**row, "as_of_date": on, "known_on": on} for row in rows]
        folder = write_contract(self.home / "contract", dated, on)
        report = score_night(folder, self.home, self.rules, on, run_id, language=self.language)
        append_said(self.home, on, run_id)
        return report


def table(report: ScoreReport, name: str) -> pl.DataFrame:
    """A table of a night as it lies in its folder."""
    return pl.read_parquet(report.folder / f"{name}.parquet")


def band(report: ScoreReport, customer_id: str = "a") -> str:
    """The band of a customer."""
    scores = table(report, "health_scores").filter(pl.col("customer_id") == customer_id)
    return str(scores["health_band"].item())


def warning(report: ScoreReport, kind: str = "risk") -> dict[str, Any] | None:
    """The only warning of a kind that the night lists, or None."""
    rows = table(report, "churn_warnings").filter(pl.col("kind") == kind)
    assert rows.height <= 1
    return rows.row(0, named=True) if rows.height else None


def weak(**changes: Any) -> dict[str, Any]:
    """A customer whose use has collapsed: red, and a reason to warn."""
    collapsed = {
        "usage_level_ratio": 0.1,
        "days_since_last_use": 30,
        "login_trend_slope": -0.2,
        "active_user_count_28d": 17,
        "core_breadth_ratio": 0.05,
        "core_depth_per_week": 0.1,
        "contact_age_ratio": 3.0,
        "mrr_change_ratio_90d": 0.7,
        "nps_score": 7.0,
    }
    return customer(**{**collapsed, **changes})
