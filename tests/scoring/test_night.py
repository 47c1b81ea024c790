"""A whole night: same inputs same bytes, trends, small and odd companies."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from scoring.config import load_rules
from scoring.night import score_night
from scoring.signals import ContractError
from tests.scoring.contract_frames import NIGHT, customer, write_contract
from tests.scoring.nights import Story, table, weak

DOCUMENTS = {"configuration.json": {"company": "x"}}


def digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def many(seed: int) -> list[dict]:
    dice = random.Random(seed)
    return [
        customer(
            f"c{i:03}",
            segment=dice.choice(["smb", "mid", None]),
            csm_id=dice.choice(["ann", "bob", None]),
            usage_level_ratio=dice.choice([None, dice.random()]),
            nps_score=dice.choice([None, 3.0, 9.0]),
            days_since_our_contact=dice.randrange(100),
            has_champion_left=dice.choice([True, False, None]),
            due_arr_12m=float(dice.choice([0, 1000])),
        )
        for i in range(60)
    ]


def test_the_same_inputs_give_the_same_bytes_in_any_order_of_rows(tmp_path):
    folders = []
    for home, is_shuffled in ((tmp_path / "one", False), (tmp_path / "two", True)):
        rows = many(seed=1)
        past = [{**row, "as_of_date": day, "known_on": day} for row in rows for day in weeks()]
        rows += past
        if is_shuffled:
            random.Random(2).shuffle(rows)
        contract = write_contract(home / "contract", rows)
        report = score_night(contract, home, load_rules(), NIGHT, "r", documents=DOCUMENTS)
        folders.append(digest(report.folder))
    assert folders[0] == folders[1]
    assert set(folders[0]) == {
        "health_scores.parquet",
        "health_components.parquet",
        "health_changes.parquet",
        "churn_probabilities.parquet",
        "churn_warnings.parquet",
        "warning_savings.parquet",
        "score_report_card.parquet",
        "score_calibration.parquet",
        "signal_cohorts.parquet",
        "signal_restatements.parquet",
        "score_disagreements.parquet",
        "confirmations.parquet",
        "signals.parquet",
        "rules.json",
        "configuration.json",
        "churn_models.json",
        "connected.json",
    }


def weeks() -> list:
    sunday = NIGHT - timedelta(days=NIGHT.isoweekday() % 7)
    return [sunday - timedelta(weeks=week) for week in range(20)]


def test_a_night_scored_again_is_kept_as_it_is(tmp_path):
    story = Story(tmp_path)
    first = story.night(customer())
    before = digest(first.folder)
    again = story.again(NIGHT, weak(), run_id=first.run_id)
    assert again.was_kept and digest(first.folder) == before


def test_every_paying_customer_has_a_score_and_no_other(tmp_path):
    report = Story(tmp_path).night(
        customer("a"), customer("b", mrr=0.0), customer("c", mrr=None), weak(customer_id="d")
    )
    scores = table(report, "health_scores")
    assert scores["customer_id"].to_list() == ["a", "d"]
    assert report.customer_count == 2
    assert report.band_counts == {"green": 1, "red": 1}
    parts = (
        table(report, "health_components").group_by("customer_id").agg(pl.col("contribution").sum())
    )
    joined = scores.join(parts, on="customer_id")
    assert (joined["health_score"] - joined["contribution"]).abs().max() <= 1e-9


def test_a_trend_is_against_the_score_said_then(tmp_path):
    story = Story(tmp_path)
    story.night(customer(nps_score=3.0))
    for _ in range(6):
        story.night(customer())
    row = table(story.night(customer()), "health_scores").row(0, named=True)
    assert row["trend_7d"] == pytest.approx(100 * 5 / 90)
    assert row["trend_sentence"] == f"+5.6 points in seven days. {row['reason']}"
    assert (row["trend_28d"], row["trend_90d"]) == (None, None)


def test_what_was_said_stays_when_rules_change(tmp_path):
    story = Story(tmp_path)
    story.night(customer(nps_score=3.0))
    story.rules = load_rules({"health": {"components": {"sentiment": {"weight": 0}}}})
    row = table(story.night(customer(nps_score=3.0), skip_days=6), "health_scores").row(
        0, named=True
    )
    assert row["trend_7d"] == pytest.approx(100 * 5 / 90)


def test_without_a_night_said_a_trend_is_against_the_nearest_weekly_date(tmp_path):
    sunday = NIGHT - timedelta(days=9)
    rows = [customer(), customer(on=sunday, nps_score=3.0), customer("b")]
    contract = write_contract(tmp_path / "contract", rows)
    report = score_night(contract, tmp_path, load_rules(), NIGHT, "r")
    trends = table(report, "health_scores").select("customer_id", "trend_7d", "trend_28d").rows()
    assert trends == [("a", pytest.approx(100 * 5 / 90), None), ("b", None, None)]


def test_the_ledger_explains_the_change_since_the_night_before(tmp_path):
    story = Story(tmp_path)
    first = story.night(customer(days_since_last_use=12))
    assert table(first, "health_changes").is_empty()
    second = story.night(customer(days_since_last_use=6))
    ledger = table(second, "health_changes")
    change = (
        table(second, "health_scores")["health_score"].item()
        - table(first, "health_scores")["health_score"].item()
    )
    assert ledger["part"].to_list() == ["usage_level"]
    assert ledger["delta"].sum() == pytest.approx(change, abs=1e-9)
    assert "from 12 to 6" in ledger["sentence"].item()


def test_a_night_after_one_that_kept_no_inputs_has_no_ledger(tmp_path):
    story = Story(tmp_path)
    (story.night(customer()).folder / "connected.json").unlink()
    assert table(story.night(weak()), "health_changes").is_empty()


def test_a_customer_that_paid_nothing_then_has_no_trend(tmp_path):
    rows = [customer(), customer(on=NIGHT - timedelta(days=9), mrr=0.0)]
    contract = write_contract(tmp_path / "contract", rows)
    report = score_night(contract, tmp_path, load_rules(), NIGHT, "r")
    assert table(report, "health_scores")["trend_7d"].item() is None


def test_later_nights_do_not_change_an_earlier_one(tmp_path):
    story = Story(tmp_path)
    story.night(customer())
    first = story.night(weak())
    story.night(weak())
    story.night(weak())
    again = story.again(first.as_of_date, weak(), run_id="again")
    assert digest(again.folder) == digest(first.folder)


def test_a_company_without_customers_has_an_empty_night(tmp_path):
    report = Story(tmp_path).night()
    assert report.customer_count == 0
    assert table(report, "churn_warnings").is_empty()
    assert Story(tmp_path / "two").night(customer(mrr=0.0)).customer_count == 0


def test_a_company_with_subscriptions_only_is_unknown_or_commercial_alone(tmp_path):
    only = {
        name: None
        for name in customer()
        if name.startswith(("usage", "active", "core", "login", "onboarding", "nps", "csat"))
    }
    rows = [customer(**{**only, "crm_stale_days": None, "usage_stale_days": None})]
    report = Story(tmp_path).night(*rows, connected=["subscriptions"])
    row = table(report, "health_scores").row(0, named=True)
    assert row["health_score"] == pytest.approx(100)
    assert row["coverage"] == pytest.approx(1.0)
    assert set(report.unconnected_components) == {
        "usage_level",
        "usage_trend",
        "breadth_and_depth",
        "onboarding",
        "relationship",
        "support",
        "sentiment",
    }


def test_a_rule_that_names_no_signal_is_one_clear_line(tmp_path):
    own = {
        "weight": 1,
        "signals": {"no_such": {"worst": 0, "best": 1, "entities": ["orders"], "feed": "orders"}},
    }
    story = Story(tmp_path, load_rules({"health": {"components": {"own": own}}}))
    with pytest.raises(ContractError, match="no_such"):
        story.night(customer())


def test_the_night_keeps_its_rules_and_the_configuration(tmp_path):
    contract = write_contract(tmp_path / "contract", [customer()])
    rules = load_rules()
    report = score_night(contract, tmp_path, rules, NIGHT, "r", documents=DOCUMENTS)
    assert (report.folder / "rules.json").read_text() == rules.as_json() + "\n"
    assert json.loads((report.folder / "configuration.json").read_text()) == {"company": "x"}
    assert table(report, "health_scores")["rules_version"].item() == rules.rules_version
