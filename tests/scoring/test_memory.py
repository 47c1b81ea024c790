"""scores/: append only, ordered by what was said, blind to later dates."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from scoring.memory import (
    LostMemoryError,
    SaidNight,
    append_said,
    memory_fingerprint,
    night_folder,
    nights_before,
    previous_night,
    read_said,
    scores_folder,
    write_night,
)

MONDAY, TUESDAY, WEDNESDAY = date(2024, 3, 11), date(2024, 3, 12), date(2024, 3, 13)
FRAME = pl.DataFrame({"customer_id": ["a"], "health_score": [50.0]})


def test_the_previous_night_is_the_run_said_last_for_the_last_date_before(tmp_path):
    assert previous_night(tmp_path, WEDNESDAY) is None
    append_said(tmp_path, MONDAY, "one")
    append_said(tmp_path, TUESDAY, "two")
    append_said(tmp_path, MONDAY, "three")
    assert previous_night(tmp_path, WEDNESDAY) == SaidNight(TUESDAY, "two")
    assert previous_night(tmp_path, TUESDAY) == SaidNight(MONDAY, "three")
    assert nights_before(tmp_path, WEDNESDAY) == [(MONDAY, "three"), (TUESDAY, "two")]


def test_the_fingerprint_sees_earlier_dates_only(tmp_path):
    nothing = memory_fingerprint(tmp_path, TUESDAY)
    append_said(tmp_path, TUESDAY, "two")
    append_said(tmp_path, WEDNESDAY, "three")
    assert memory_fingerprint(tmp_path, TUESDAY) == nothing
    append_said(tmp_path, MONDAY, "one")
    assert memory_fingerprint(tmp_path, TUESDAY) != nothing


def test_saying_the_same_run_again_changes_nothing(tmp_path):
    append_said(tmp_path, MONDAY, "one")
    append_said(tmp_path, TUESDAY, "two")
    before = (scores_folder(tmp_path) / "said.jsonl").read_bytes()
    append_said(tmp_path, MONDAY, "one")
    assert (scores_folder(tmp_path) / "said.jsonl").read_bytes() == before
    append_said(tmp_path, MONDAY, "other")
    append_said(tmp_path, MONDAY, "one")
    assert previous_night(tmp_path, TUESDAY) == SaidNight(MONDAY, "one")


def test_a_night_that_is_there_is_left_as_it_is(tmp_path):
    night = SaidNight(MONDAY, "one")
    assert write_night(tmp_path, night, {"health_scores": FRAME}, {"rules.json": "{}"})
    assert not write_night(tmp_path, night, {"health_scores": FRAME.clear()}, {})
    assert read_said(tmp_path, night, "health_scores").equals(FRAME)


def test_what_a_killed_night_left_behind_is_no_night_and_does_not_disturb(tmp_path):
    night = SaidNight(MONDAY, "one")
    partial = night_folder(tmp_path, night).with_name(".one.partial")
    partial.mkdir(parents=True)
    (partial / "half.parquet").write_bytes(b"PAR")
    assert write_night(tmp_path, night, {"health_scores": FRAME}, {})
    assert [p.name for p in night_folder(tmp_path, night).parent.iterdir()] == ["one"]
    assert [p.name for p in night_folder(tmp_path, night).iterdir()] == ["health_scores.parquet"]


def test_a_night_that_was_said_and_is_gone_is_one_clear_line(tmp_path):
    with pytest.raises(LostMemoryError, match="restore scores/ from the backup"):
        read_said(tmp_path, SaidNight(MONDAY, "one"), "health_scores")


def test_a_damaged_order_of_saying_names_its_line(tmp_path):
    append_said(tmp_path, MONDAY, "one")
    with (scores_folder(tmp_path) / "said.jsonl").open("a") as file:
        file.write('{"as_of_d')
    with pytest.raises(LostMemoryError, match="line 2"):
        previous_night(tmp_path, TUESDAY)
