"""Whole nights of companies that are small, new or odd: every table is there and says so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import pytest

from scoring.config import Language, load_rules
from scoring.memory import append_said
from scoring.night import score_night
from scoring.summary import ScoreReport
from tests.scoring.companies import LAST_SUNDAY, grow_company, loss
from tests.scoring.contract_frames import ENTITIES, customer, frame, write_contract
from tests.scoring.nights import Story, table, weak

TABLES = (
    "churn_probabilities",
    "score_report_card",
    "score_calibration",
    "signal_cohorts",
    "score_disagreements",
    "warning_savings",
)
RULES = load_rules({"report": {"resamples": 100}})


def night(
    home: Path,
    found: pl.DataFrame,
    outcomes: pl.DataFrame,
    connected: list[str] = ENTITIES,
    language: Language = "en",
) -> ScoreReport:
    """A night of a company on its last Sunday."""
    contract = write_contract(home / "contract", [], on=LAST_SUNDAY, connected=connected)
    found.write_parquet(contract / "customer_signals.parquet")
    outcomes.write_parquet(contract / "customer_outcomes.parquet")
    return score_night(contract, home, RULES, LAST_SUNDAY, "r", language)


@pytest.mark.parametrize(
    "rows", [[], [customer()], [customer(mrr=0.0)], [customer("a"), customer("b")]]
)
def test_a_first_night_has_every_table_and_too_few_losses(tmp_path, rows):
    report = Story(tmp_path).night(*rows)
    paying = [row for row in rows if row["mrr"] > 0]
    assert {name for name in TABLES if not (report.folder / f"{name}.parquet").exists()} == set()
    assert table(report, "churn_probabilities").height == 4 * len(paying)
    assert report.verdict.endswith("and so far 0 can be looked back on.")
    for path in report.folder.glob("*.parquet"):
        numbers = pl.read_parquet(path).select(cs.float())
        assert all(column.drop_nulls().is_finite().all() for column in numbers), path.name
    card = table(report, "score_report_card")
    assert set(card["card"]) == {"customer", "renewal"} and card["auc"].null_count() == card.height


def test_probabilities_of_a_single_customer_are_the_prior(tmp_path):
    found = table(Story(tmp_path).night(customer()), "churn_probabilities")
    assert found.filter(pl.col("horizon_days") == 90)["probability"].item() == pytest.approx(0.03)
    assert found["method"].unique().to_list() == ["rules"]


def test_eighty_customers_with_five_losses_are_judged_by_rules_and_it_says_too_few(tmp_path):
    found, _ = grow_company(80, 104, hazard=0.0)
    first = found["as_of_date"].min()
    ends = [loss(f"c000{i}", first + timedelta(days=200 + 50 * i)) for i in range(5)]
    outcomes = _outcomes(ends)
    report = night(tmp_path, found, outcomes)
    assert table(report, "churn_probabilities")["method"].unique().to_list() == ["rules"]
    assert report.verdict.startswith("The score cannot be checked yet: it takes 20 losses")
    assert 0 < report.loss_count <= 5
    chinese = night(tmp_path / "zh", found, outcomes, language="zh")
    assert chinese.verdict.startswith("健康分尚无法检验")


def test_all_churned_is_a_card_without_customers_tonight(tmp_path):
    found, _ = grow_company(30, 80, hazard=0.0)
    last_week = LAST_SUNDAY - timedelta(weeks=40)
    found = found.filter(pl.col("as_of_date") <= last_week)
    names = found["customer_id"].unique().sort().to_list()
    outcomes = _outcomes([loss(name, last_week + timedelta(days=5)) for name in names])
    report = night(tmp_path, found, outcomes)
    assert report.customer_count == 0
    assert table(report, "churn_probabilities").is_empty()
    card = table(report, "score_report_card").filter(
        (pl.col("card") == "customer") & (pl.col("population") == "all") & pl.col("is_in_force")
    )
    assert card.filter(pl.col("horizon_days") == 180)["events"].max() == 30


def test_without_use_and_crm_every_ranking_is_a_draw(tmp_path):
    found, outcomes = grow_company(60, 80, hazard=0.02)
    bare = [
        name
        for name in found.columns
        if name.startswith(
            ("usage", "active", "core", "login", "has_use", "days_since", "csm_view")
        )
    ]
    found = found.with_columns(pl.lit(None).cast(found.schema[name]).alias(name) for name in bare)
    report = night(tmp_path, found, outcomes, connected=["subscriptions"])
    card = table(report, "score_report_card").filter(
        (pl.col("card") == "customer") & (pl.col("method") == "days_since_last_use")
    )
    assert card.filter(pl.col("population") == "all")["auc"].drop_nulls().unique().to_list() == [
        0.5
    ]
    assert table(report, "score_disagreements").is_empty()
    assert report.verdict.startswith("The score does not help")


def test_no_events_at_all_is_no_recall(tmp_path):
    found, _ = grow_company(20, 60, hazard=0.0)
    card = table(night(tmp_path, found, _outcomes([])), "score_report_card")
    assert card["events"].sum() == 0
    assert card["recall_arr_at_k"].null_count() == card.height


def test_what_was_said_then_is_judged_as_lived(tmp_path):
    found, outcomes = grow_company(40, 104, hazard=0.01)
    dates = found["as_of_date"].unique().sort()
    until = dates[-40]
    early = found.filter(pl.col("as_of_date") <= until)
    contract = write_contract(tmp_path / "contract", [], on=until)
    early.write_parquet(contract / "customer_signals.parquet")
    outcomes.write_parquet(contract / "customer_outcomes.parquet")
    score_night(contract, tmp_path, RULES, until, "then")
    append_said(tmp_path, until, "then")
    card = table(night(tmp_path, found, outcomes), "score_report_card")
    judged = card.filter((pl.col("card") == "customer") & pl.col("is_in_force"))
    lived = judged.filter(pl.col("population") == "lived")
    whole = judged.filter(pl.col("population") == "all", pl.col("segment") == "all")
    rest = judged.filter(pl.col("population") == "reconstructed")
    assert lived["n"].to_list() == [40] * lived.height
    assert lived.height + rest.height >= 4
    for days in lived["horizon_days"]:
        counts = [f.filter(pl.col("horizon_days") == days)["n"].sum() for f in (lived, rest, whole)]
        assert counts[0] + counts[1] == counts[2]


def test_warnings_carry_their_share_of_the_expected_losses(tmp_path):
    rows: list[dict[str, Any]] = [
        customer(c, has_champion_left=True, csm_id=None) for c in ("a", "b", "c", "d")
    ]
    report = Story(tmp_path).night(*rows)
    listed = table(report, "churn_warnings")
    assert listed["recall_share"].to_list() == pytest.approx([0.25] * 4)
    cut = listed.filter(~pl.col("is_within_budget"))
    assert cut["recall_share"].sum() == pytest.approx(0.75)
    assert listed["is_assumed"].all()


def _outcomes(rows: list[dict[str, Any]]) -> pl.DataFrame:

    return frame("customer_outcomes", rows)


def test_without_any_reason_switched_on_there_are_scores_and_no_warnings(tmp_path):
    off = {code: {"is_on": False} for code in RULES.warnings.reasons}
    rules = load_rules({"warnings": {"reasons": off}, "report": {"resamples": 100}})
    report = Story(tmp_path, rules).night(customer(**weak()))
    assert table(report, "health_scores").height == 1
    assert table(report, "churn_warnings").is_empty()
