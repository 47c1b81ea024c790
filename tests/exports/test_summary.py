import dataclasses
import datetime as dt
import json

from exports.last_run import LastRun, write_last_run
from exports.summary import say_summary, summarise_night


def test_the_summary_says_what_a_person_wants_to_know(published):
    summary = summarise_night(published)
    assert (summary.rows_in, summary.rows_accepted) == (3000, 2970)
    assert (summary.rows_quarantined, summary.rows_duplicate) == (21, 9)
    assert summary.customer_count == 40
    text = "\n".join(say_summary(summary, "EUR"))
    assert "Rows in 3,000 = accepted 2,970 + quarantined 21 + duplicate 9" in text
    assert "Alarm: source_stale (product_events), since 2024-06-30: -no file since" in text
    assert "North star" in text
    assert "GRR" in text
    assert str(published.database) in text
    assert len(summary.top_warnings) == 5
    assert f"Open risk warnings {summary.warning_count}, the first 5 to act on\n" in text
    assert f", act by {summary.top_warnings[0]['due_date']}, ARR due " in text
    left = [summary.top_warnings[0] | {"reason_code": "lost_contact_ours"}]
    lines = say_summary(dataclasses.replace(summary, top_warnings=left), "EUR")
    assert any(": We have not been in touch, act by" in line for line in lines)
    rocket = summary.top_warnings[0] | {"customer_name": "Rocket\nLabs"}
    lines = say_summary(dataclasses.replace(summary, top_warnings=[rocket]), "EUR")
    assert any(line.startswith("  Rocket Labs: ") for line in lines)


def test_the_last_run_is_the_place_of_wall_clock_facts(tmp_path):
    started = dt.datetime(2024, 7, 1, 3, 0, tzinfo=dt.UTC)
    path = write_last_run(
        tmp_path,
        LastRun(
            outcome="refused",
            exit_code=1,
            started_at=started,
            finished_at=started + dt.timedelta(seconds=61.25),
            as_of_date=dt.date(2024, 6, 30),
            messages=("renewals: the table was not built",),
        ),
    )
    assert path == tmp_path / "log" / "last_run.json"
    assert json.loads(path.read_text()) == {
        "outcome": "refused",
        "exit_code": 1,
        "started_at": "2024-07-01T03:00:00Z",
        "finished_at": "2024-07-01T03:01:01Z",
        "as_of_date": "2024-06-30",
        "run_id": None,
        "messages": ["renewals: the table was not built"],
        "rows": {},
        "seconds": 61.2,
    }
    assert [entry.name for entry in path.parent.iterdir()] == ["last_run.json"]
