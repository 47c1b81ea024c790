"""What the door says of a night's files."""

from __future__ import annotations

import datetime as dt

from dagster_project.front_door import note_of_later_files
from ingest.reports import FileReport, LandingReport

D = dt.date(2026, 11, 22)


def landed(name: str, day: dt.date | None, status: str = "landed") -> LandingReport:
    return LandingReport("customers", (FileReport("crm", name, status, delivered_on=day),), ())


def test_files_of_a_later_day_than_the_night_are_told():
    """Who exports today and computes yesterday would look in vain for what the files say."""
    reports = [
        landed("a.csv", D),
        landed("b.csv", D + dt.timedelta(1)),
        landed("c.csv", D + dt.timedelta(2)),
        landed("d.csv", None),
        landed("e.csv", D + dt.timedelta(9), status="refused"),
    ]
    note = note_of_later_files(reports, D)
    assert note is not None
    assert note.startswith("files of a later day than 2026-11-22: 2;")
    assert "--as-of 2026-11-24" in note


def test_files_of_the_night_and_before_need_no_word():
    reports = [landed("a.csv", D), landed("b.csv", dt.date(2020, 1, 1)), landed("c.csv", None)]
    assert note_of_later_files(reports, D) is None
