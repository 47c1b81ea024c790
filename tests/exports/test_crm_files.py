import datetime as dt
import json

import duckdb
import polars as pl
import pytest

from exports.crm_files import find_said_before
from exports.files import digest
from tests.exports.private_night import D, build_night

BEFORE = D - dt.timedelta(days=1)


def say(home, as_of_date, run_id, scores, warnings=None):
    """Writes what a night said: score and band by customer, open risk warnings by customer."""
    folder = home / "scores" / str(as_of_date) / run_id
    folder.mkdir(parents=True)
    pl.DataFrame(
        [
            {"customer_id": customer, "as_of_date": as_of_date, "health_score": s, "health_band": b}
            for customer, (s, b) in scores.items()
        ]
    ).write_parquet(folder / "health_scores.parquet")
    pl.DataFrame(
        [
            {
                "warning_id": f"w-{customer}",
                "customer_id": customer,
                "kind": "risk",
                "reason_code": reason,
                "closed_on": None,
            }
            for customer, reason in (warnings or {}).items()
        ],
        schema={
            "warning_id": pl.String,
            "customer_id": pl.String,
            "kind": pl.String,
            "reason_code": pl.String,
            "closed_on": pl.Date,
        },
    ).write_parquet(folder / "churn_warnings.parquet")
    with (home / "scores/said.jsonl").open("a") as file:
        file.write(json.dumps({"as_of_date": str(as_of_date), "run_id": run_id}) + "\n")


def read(report, name):
    return pl.read_csv(report.folder / f"{name}.csv", infer_schema=False)


@pytest.fixture(scope="module")
def said_tonight(published):
    scores = pl.read_parquet(published.folder / "health_scores.parquet")
    warnings = pl.read_parquet(published.folder / "churn_warnings.parquet")
    return (
        {
            row[0]: row[1:]
            for row in scores.select("customer_id", "health_score", "health_band").rows()
        },
        dict(warnings.select("customer_id", "reason_code").rows()),
    )


def test_on_the_first_night_every_customer_is_written_back(published):
    first = read(published, "crm_writeback")
    assert first.height == 40
    assert first["previous_health_score"].null_count() == 40


def test_only_changed_customers_are_written_back_with_the_values_before(
    tmp_path, night_files, publish, said_tonight
):
    scores, warnings = said_tonight
    scores = scores | {"c001": (12.34, "red"), "c999": (50.0, "yellow")}
    dropped = sorted(warnings)[0]
    warnings = {customer: reason for customer, reason in warnings.items() if customer != dropped}
    say(tmp_path, BEFORE, "before", scores, warnings)
    written = read(publish(night_files, tmp_path), "crm_writeback")
    assert written["customer_id"].to_list() == sorted(["c001", dropped, "c999"])
    changed = written.row(by_predicate=pl.col("customer_id") == "c001", named=True)
    assert (changed["previous_health_score"], changed["previous_health_band"]) == ("12.3", "red")
    warned = written.row(by_predicate=pl.col("customer_id") == dropped, named=True)
    assert warned["open_warnings"].startswith("risk:")
    assert warned["previous_open_warnings"] is None
    gone = written.row(by_predicate=pl.col("customer_id") == "c999", named=True)
    assert (gone["health_score"], gone["previous_health_score"]) == (None, "50.0")


def test_the_write_back_of_a_night_repeated_is_the_same(tmp_path, night_files, publish):
    say(tmp_path, BEFORE, "before", {"c001": (12.34, "red")})
    first = digest(publish(night_files, tmp_path).folder / "crm_writeback.csv")
    say(tmp_path, D, "tonight", {"c001": (99.0, "green")})
    assert digest(publish(night_files, tmp_path).folder / "crm_writeback.csv") == first


def test_the_night_before_is_the_run_said_last_on_the_last_date_before(tmp_path):
    scores = tmp_path / "scores"
    assert find_said_before(scores, D) is None
    scores.mkdir()
    lines = [(BEFORE, "a"), (D, "tonight"), (BEFORE, "b"), (BEFORE - dt.timedelta(days=9), "old")]
    (scores / "said.jsonl").write_text(
        "".join(json.dumps({"as_of_date": str(day), "run_id": run}) + "\n" for day, run in lines)
    )
    assert find_said_before(scores, D) == scores / str(BEFORE) / "b"
    assert find_said_before(scores, BEFORE) == scores / str(BEFORE - dt.timedelta(days=9)) / "old"


def test_the_queue_goes_out_to_be_filled_in(published):
    queue = read(published, "warning_actions")
    warnings = pl.read_parquet(published.folder / "churn_warnings.parquet")
    assert sorted(queue["warning_id"]) == sorted(warnings["warning_id"])
    assert queue["playbook_run_id"].to_list() == queue["warning_id"].to_list()
    assert queue["playbook"].unique().to_list() == ["win_back"]
    for name in ("action", "snoozed_until", "note"):
        assert queue[name].null_count() == queue.height
    assert "unassigned" not in queue["owner_id"].to_list()


def test_closed_warnings_are_not_in_the_queue(tmp_path, publish):
    files = build_night(tmp_path / "night")
    with duckdb.connect(str(files[0])) as connection:
        connection.execute(
            "create or replace view scores.churn_warnings as"
            " select * replace (date '2024-06-30' as closed_on)"
            f" from read_parquet('{tmp_path}/night/churn_warnings.parquet')"
        )
    report = publish(files, tmp_path / "home")
    assert read(report, "warning_actions").height == 0
