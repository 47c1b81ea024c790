"""Two opinions of one night: of whom they differ, and what confirmation has to do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scoring.comparison import list_differences, read_figures, total_differences
from scoring.config import AS_KEPT, Rules, load_rules
from scoring.memory import append_said, lay_out, night_folder, nights_before, read_said, runs_said
from scoring.night import score_night
from tests.scoring.contract_frames import NIGHT, customer, write_contract
from tests.scoring.nights import Story, weak

STRICT = load_rules({"health": {"bands": {"green": {"enter": 100, "exit": 100}}}})


def opinions(tmp_path: Path, rows: list[dict[str, Any]], *rules: Rules) -> list[Path]:
    """The folders of what each set of rules says at once of the same customers."""
    contract = write_contract(tmp_path / "contract", rows)
    return [
        score_night(contract, tmp_path / str(i), one, NIGHT, "r", confirms_at_once=True).folder
        for i, one in enumerate(rules)
    ]


# Its risk comes into this week, its chance to sell more has to wait.
RISK_AND_UPSELL = customer(csm_id=None, has_champion_left=True, login_ratio=1.1)


@pytest.mark.parametrize("rows", [[customer(), weak(customer_id="b")], [RISK_AND_UPSELL]])
def test_the_same_rules_differ_of_nobody(tmp_path, rows):
    before, after = opinions(tmp_path, rows, *2 * [load_rules()])
    assert list_differences(before, after).is_empty()
    assert read_figures(before, 90) == read_figures(after, 90)


def test_a_band_that_changes_is_told_with_its_arr(tmp_path):
    rows = [customer(name, arr=arr, nps_score=5.0) for name, arr in (("a", 12000.0), ("b", 500.0))]
    before, after = opinions(tmp_path, rows, load_rules(), STRICT)
    told = list_differences(before, after)
    assert told.select("subject", "change", "customer_id", "arr").rows() == [
        ("band", "green -> yellow", "a", 12000.0),
        ("band", "green -> yellow", "b", 500.0),
    ]
    assert total_differences(told).rows() == [("band", "green -> yellow", 2, 12500.0)]


def test_who_comes_into_this_week_is_told(tmp_path):
    rows = [
        customer(name, csm_id=None, has_champion_left=True, due_arr_12m=arr)
        for name, arr in (("a", 9000.0), ("b", 500.0))
    ]
    all_fit = load_rules({"budget": {"share_without_hours": 1.0}})
    told = list_differences(*opinions(tmp_path, rows, load_rules(), all_fit))
    assert told.select("subject", "change", "customer_id").rows() == [
        ("slot", "waits -> this week", "b")
    ]


def test_a_state_of_other_facts_is_told_with_the_arr_it_had(tmp_path):
    (before,) = opinions(tmp_path / "old", [customer(usage_state="high", arr=1000.0)], load_rules())
    (after,) = opinions(tmp_path / "new", [customer(usage_state="low", arr=900.0)], load_rules())
    told = list_differences(before, after).filter(subject="usage state")
    assert told.select("change", "customer_id", "arr").rows() == [("high -> low", "a", 1000.0)]


def test_warnings_open_close_and_change_their_reasons(tmp_path):
    rows, codes = [weak(customer_id="b")], set(load_rules().warnings.reasons) - {"quota_burn"}
    off = {"warnings": {"reasons": {code: {"is_on": False} for code in codes}}}
    silent = load_rules(off)
    before, after = opinions(tmp_path, rows, silent, load_rules())
    opened = list_differences(before, after).filter(subject="risk warning").to_dicts()
    assert [(row["change"], row["before"]) for row in opened] == [("opened", None)]
    closed = list_differences(after, before).filter(subject="risk warning").to_dicts()
    assert [(row["change"], row["after"]) for row in closed] == [("closed", None)]
    leading, *others = opened[0]["after"].split(", ")
    assert others
    without = load_rules({"warnings": {"reasons": {leading: {"is_on": False}}}})
    (less,) = opinions(tmp_path / "less", rows, without)
    changed = list_differences(after, less).filter(subject="risk warning").to_dicts()
    assert [(row["change"], row["after"]) for row in changed] == [
        ("other reasons", ", ".join(others))
    ]


def test_a_warning_that_other_rules_close_is_told_as_closed_and_nothing_of_its_slot(tmp_path):
    story = Story(tmp_path)
    story.night(customer(has_champion_left=True))
    on = story.next_night
    row = customer(has_champion_left=True) | {"as_of_date": on, "known_on": on}
    contract = write_contract(tmp_path / "contract", [row], on)
    without = load_rules({"warnings": {"reasons": {"champion_left": {"is_on": False}}}})
    goes_on, ends = (
        score_night(contract, tmp_path, rules, on, name, confirms_at_once=True).folder
        for name, rules in (("goes on", load_rules()), ("ends", without))
    )
    told = list_differences(goes_on, ends).select("subject", "change", "before", "after")
    assert told.rows() == [("risk warning", "closed", "champion_left", None)]


def test_an_opinion_that_waits_for_a_second_night_is_told_at_once(tmp_path):
    story = Story(tmp_path)
    story.night(customer())
    on = story.next_night
    row = {**weak(), "as_of_date": on, "known_on": on}
    contract = write_contract(tmp_path / "contract", [row], on)
    waiting = score_night(contract, tmp_path, load_rules(), on, "waits")
    at_once = score_night(contract, tmp_path, load_rules(), on, "says", confirms_at_once=True)
    told = list_differences(waiting.folder, at_once.folder)
    assert told.filter(subject="band")["change"].to_list() == ["green -> red"]
    assert told.filter(subject="risk warning")["change"].to_list() == ["opened"]


def test_a_segments_own_confirmation_is_lifted_too():
    rules = load_rules({"segments": {"smb": {"confirmation_nights": 5, "minimum_coverage": 0.2}}})
    own = rules.confirming_at_once().health_of("smb")
    assert (own.confirmation_nights, own.minimum_coverage) == (1, 0.2)


def test_rules_that_were_kept_are_whole(monkeypatch):
    kept = load_rules({"segments": {"smb": {"minimum_coverage": 0.2}}}).model_dump(
        mode="json", by_alias=True
    )
    later = load_rules().model_dump(mode="json", by_alias=True)
    component = next(iter(later["health"]["components"].values()))
    later["health"]["components"]["brand_new"] = component
    monkeypatch.setattr("scoring.config._parse_rules_file", lambda: later)
    assert "brand_new" in load_rules(kept).health.components
    again = Rules.model_validate(kept, context=AS_KEPT)
    assert "brand_new" not in again.health.components
    assert again.model_dump(mode="json", by_alias=True) == kept


def test_a_memory_laid_out_again_is_that_of_then(tmp_path):
    home, place = tmp_path / "home", tmp_path / "place"
    story = Story(home)
    first, second = story.night(customer()), story.night(weak())
    memory = nights_before(home, story.next_night)
    story.again(first.as_of_date, weak(), run_id="said-again-later")
    append_said(home, second.as_of_date, "later-too")
    lay_out(home, memory, place)
    assert nights_before(place, story.next_night) == memory
    for night in memory:
        assert read_said(place, night, "signals").equals(read_said(home, night, "signals"))
    assert [night.run_id for night in runs_said(home, second.as_of_date)][-1] == "later-too"
    assert night_folder(place, memory[0]).is_symlink()
