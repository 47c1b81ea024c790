"""Past nights again (`as-of`), and the last one under another configuration (`try`)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from dagster_project.config import ConfigurationError
from dagster_project.home import Home
from dagster_project.rebuilding import check_empty, find_night
from tests.dagster_project.nights import COMMAND, ask, disturbed, exported_bytes, run, tree

FIRST = dt.date(2026, 6, 30)


def configured(company: Path, folder: Path, text: str) -> Path:
    """The company's configuration with more text at its end."""
    file = folder / "tried.yml"
    file.write_text((company / "customer_health.yml").read_text() + text)
    return file


def tried(home: Path, config: Path) -> dict:
    return json.loads(run(COMMAND, "try", "--config", str(config), "--home", str(home), "--json"))


@disturbed
def test_a_night_is_rebuilt_byte_for_byte_after_rules_and_rows_changed(first, second, tmp_path):
    home, out = second[0], tmp_path / "out"
    before = tree(home)
    printed = run(COMMAND, "as-of", str(FIRST), "--out", str(out), "--home", str(home))
    assert exported_bytes(out) == exported_bytes(first[0])
    assert exported_bytes(out) != exported_bytes(home)
    assert "every score table" in printed and "byte for byte" in printed
    assert tree(home) == before
    assert sorted(path.name for path in out.iterdir()) == ["exports", "log", "published"]


@disturbed
def test_a_night_that_was_never_run_is_rebuilt_cold_and_marked(company, second, tmp_path):
    home, out = second[0], tmp_path / "out"
    before, config = tree(home), str(company / "customer_health.yml")
    printed = run(
        *(COMMAND, "as-of", "2026-06-15", "--out", str(out)),
        *("--config", config, "--home", str(home)),
    )
    assert "Night of 2026-06-15" in printed and "reconstructed" in printed
    assert ask(out, "select as_of_date::varchar, is_reconstructed from runs") == [
        ("2026-06-15", True)
    ]
    scored = "select count(*) from health_scores where health_score is not null"
    assert ask(out, scored)[0][0] > 0
    latest = "select max(occurred_at::date)::varchar from customer_timeline"
    assert ask(out, latest)[0][0] <= "2026-06-15"
    assert tree(home) == before


@disturbed
def test_a_configuration_is_tried_on_the_last_night_and_nothing_is_written(
    company, second, tmp_path
):
    home = second[0]
    before = tree(home)
    bands = "\nscoring: {health: {bands: {green: {enter: 100, exit: 100}}}}\n"
    report = tried(home, configured(company, tmp_path, bands))
    bands_changed = [row for row in report["differences"] if row["subject"] == "band"]
    assert {(row["before"], row["after"]) for row in bands_changed} == {("green", "yellow")}
    (total,) = [total for total in report["totals"] if total["subject"] == "band"]
    assert total["customer_count"] == len(bands_changed)
    assert total["arr"] == pytest.approx(sum(row["arr"] for row in bands_changed))
    assert set(report["report_card"]) == {"old", "new"}
    assert tree(home) == before


@disturbed
def test_other_definitions_are_tried_on_facts_made_again(company, second, tmp_path):
    home = second[0]
    before = tree(home)
    config = configured(company, tmp_path, "\nstates: {dormant_working_days: 1}\n")
    report = tried(home, config)
    states = [row for row in report["differences"] if row["subject"] == "usage state"]
    assert "dormant" in {row["after"] for row in states}
    assert any("made again" in note for note in report["notes"])
    assert tree(home) == before


@disturbed
def test_what_cannot_be_rebuilt_is_one_clear_sentence(company, second, tmp_path):
    home, config = Home(second[0]), company / "customer_health.yml"
    for date, run_id, root, said in (
        (dt.date(2027, 1, 1), "", home, "after the last landing (2026-07-01)"),
        (dt.date(1999, 1, 1), "", home, "no landed row was known then; the first on 20"),
        (FIRST, "no-such-run", home, "no run no-such-run was said for 2026-06-30; said: "),
        (FIRST, "", Home(tmp_path / "new"), "nothing has landed yet"),
    ):
        with pytest.raises(ConfigurationError) as raised:
            find_night(root, date, run_id, config)
        assert said in str(raised.value)


@disturbed
def test_the_run_said_last_is_rebuilt_unless_another_is_named(second):
    home = Home(second[0])
    night = find_night(home, FIRST, "", Path("no-such-configuration.yml"))
    assert night.said is not None
    assert night == find_night(home, FIRST, night.said.run_id, Path("none.yml"))


def test_a_night_is_only_rebuilt_into_an_empty_folder_outside_the_data_root(tmp_path):
    home = Home(tmp_path / "var")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for out, said in (
        (tmp_path / "full", "is not empty"),
        (tmp_path / "full" / "file", "is a file"),
        (home.root, "lies in the data root"),
        (home.scores / "out", "lies in the data root"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            check_empty(out, home)
    check_empty(tmp_path / "new", home)
