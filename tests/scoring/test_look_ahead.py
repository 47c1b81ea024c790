"""Nothing known after a night changes what is said on it, and a signal that looks ahead shows."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.config import load_rules
from scoring.episodes import identify
from scoring.memory import append_said
from scoring.night import score_night
from scoring.restatements import list_restatements
from tests.scoring.companies import LAST_SUNDAY, grow_company
from tests.scoring.contract_frames import customer, frame, signals, write_contract

RULES = load_rules({"report": {"resamples": 100}})
FOUND, OUTCOMES = grow_company(8, 50, signal=1.5, hazard=0.01)
NAMES = st.sampled_from(sorted(FOUND["customer_id"].unique()))
LATER = st.integers(1, 400).map(lambda days: LAST_SUNDAY + timedelta(days=days))
ANY_DAY = st.integers(-400, 400).map(lambda days: LAST_SUNDAY + timedelta(days=days))
later_signals = st.fixed_dictionaries(
    {
        "customer_id": NAMES,
        "as_of_date": ANY_DAY,
        "known_on": LATER,
        "usage_level_ratio": st.none() | st.floats(0, 2),
        "mrr": st.sampled_from([0.0, 1.0, 9999.0]),
        "csm_view": st.sampled_from(["red", "green", None]),
    }
)
later_outcomes = st.fixed_dictionaries(
    {
        "customer_id": NAMES,
        "kind": st.sampled_from(["mrr_loss", "renewal"]),
        "outcome_date": ANY_DAY,
        "outcome": st.sampled_from(["churned", "renewed_early", "open"]),
        "arr": st.sampled_from([0.0, 500.0]),
        "known_on": LATER,
        "is_provisional": st.booleans(),
    }
)
later_responses = st.fixed_dictionaries(
    {
        "warning_id": NAMES.map(lambda name: identify(name, "risk", LAST_SUNDAY)),
        "kind": st.just("risk"),
        "started_on": LATER,
        "done_on": st.none() | LATER,
    }
)


def say(
    found: pl.DataFrame, outcomes: pl.DataFrame, responses: pl.DataFrame | None = None
) -> dict[str, str]:
    """The digests of all that is said on the last Sunday."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        contract = write_contract(home / "contract", [], on=LAST_SUNDAY)
        found.write_parquet(contract / "customer_signals.parquet")
        outcomes.write_parquet(contract / "customer_outcomes.parquet")
        if responses is not None:
            responses.write_parquet(contract / "playbook_responses.parquet")
        report = score_night(contract, home, RULES, LAST_SUNDAY, "r")
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in report.folder.iterdir()}


SAID = say(FOUND, OUTCOMES.filter(pl.col("known_on") <= LAST_SUNDAY))


@settings(max_examples=15)
@given(
    rows=st.lists(later_signals, max_size=4),
    outcomes=st.lists(later_outcomes, max_size=4),
    responses=st.lists(later_responses, max_size=3),
)
def test_what_becomes_known_later_changes_nothing_that_is_said(rows, outcomes, responses):
    told = [
        customer(
            row["customer_id"], on=row["as_of_date"], **_other(row, "customer_id", "as_of_date")
        )
        for row in rows
    ]
    found = pl.concat([FOUND, signals(*told)], how="diagonal_relaxed").unique(
        ["customer_id", "as_of_date", "known_on"], keep="first"
    )
    ends = frame(
        "customer_outcomes", [{**row, "term_id": str(n)} for n, row in enumerate(outcomes)]
    )
    runs = frame(
        "playbook_responses",
        [{**row, "playbook_run_id": str(n)} for n, row in enumerate(responses)],
    )
    assert say(found, pl.concat([OUTCOMES, ends]), runs) == SAID


def _other(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def night(home: Path, on: date, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A night that is said; its signal_restatements."""
    contract = write_contract(home / "contract", rows, on=on)
    report = score_night(contract, home, RULES, on, f"run-{on}")
    append_said(home, on, f"run-{on}")
    return pl.read_parquet(report.folder / "signal_restatements.parquet")


def test_a_planted_signal_that_looks_ahead_is_named(tmp_path):
    # On Sunday both look alike. A week later `a` has left, and a leaking model writes into
    # Sunday's row what only the week after knew.
    monday = LAST_SUNDAY + timedelta(days=8)
    then = [customer(c, on=LAST_SUNDAY, nps_score=9.0) for c in "ab"]
    assert night(tmp_path, LAST_SUNDAY, then).is_empty()
    leaked = [{**then[0], "nps_score": 0.0}, then[1]]
    found = night(tmp_path, monday, [*leaked, customer("b", on=monday)])
    changed = found.filter(pl.col("changed_count") > 0)
    assert changed.select("signal", "compared_count", "changed_count", "changed_share").rows() == [
        ("nps_score", 2, 1, 0.5)
    ]


def test_an_honest_history_is_never_restated(tmp_path):
    monday = LAST_SUNDAY + timedelta(days=8)
    then = [customer(c, on=LAST_SUNDAY) for c in "ab"]
    night(tmp_path, LAST_SUNDAY, then)
    # Past dates hold no states: they are known tonight only.
    now = [{**row, "usage_state": None} for row in then]
    found = night(tmp_path, monday, [*now, customer("a", on=monday)])
    assert found.height > 40 and found["changed_count"].sum() == 0
    assert "usage_state" not in found["signal"].to_list()


def test_a_value_that_appears_or_vanishes_is_a_change():
    then = signals(customer("a", nps_score=None), customer("b", nps_score=3.0), customer("c"))
    now = signals(customer("a", nps_score=3.0), customer("b", nps_score=None), customer("c"))
    found = list_restatements([then], now).filter(pl.col("signal") == "nps_score")
    assert found["changed_count"].item() == 2
