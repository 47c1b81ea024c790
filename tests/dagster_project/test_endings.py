"""A night that is refused says so, whoever started it: these runs are Dagster's own."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from dagster_project import endings, scores
from dagster_project.config import ConfigurationError
from dagster_project.dates import today_in
from dagster_project.definitions import definitions
from dagster_project.home import Home, NightRunning
from dagster_project.night import Night
from scoring.signals import UnknownSignalError
from tests.scoring.contract_frames import NIGHT
from tests.webhook import listening_webhook

CONFIGURATION = """
company: {name: Acme, zone: Pacific/Kiritimati}
notices: {to: ['${HEALTH_HOOK}']}
sources:
  billing:
    format: csv
    location: inbox
    entities: {subscriptions: {files: a.csv, blocking: true}}
"""


@pytest.fixture(autouse=True)
def _no_process_beside(monkeypatch):
    """What would get ready beside the landing is not needed to be refused."""
    ready = SimpleNamespace(guard=lambda *_, **__: [])
    monkeypatch.setattr("dagster_project.night.head_start", lambda: nullcontext(ready))


@pytest.fixture
def webhook(monkeypatch):
    with listening_webhook() as listening:
        monkeypatch.setenv("HEALTH_HOOK", listening.address)
        yield listening


@pytest.fixture
def night(tmp_path, webhook) -> Night:
    config = tmp_path / "customer_health.yml"
    config.write_text(CONFIGURATION)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/a.csv").write_text("<html>Sign in</html>\n")
    return Night(config_file=str(config), home_folder=str(tmp_path / "var"))


def last_run(night: Night) -> dict[str, Any]:
    return json.loads((night.home.log / "last_run.json").read_text())


def run_of(night: Night, cause: BaseException | None = None) -> dg.ExecuteInProcessResult:
    """A run of one step, which fails of the cause; the night's date is in its output."""

    @dg.op
    def step(night: Night) -> str:
        if cause:
            raise cause
        return str(night.date)

    @dg.job(resource_defs={"night": night})
    def nightly():
        step()

    return nightly.execute_in_process(raise_on_error=False)


def test_a_night_that_dagster_starts_and_a_check_refuses_is_said_and_told(night, webhook):
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions(night).resolve_job_def("nightly")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    said = last_run(night)
    assert (said["outcome"], said["exit_code"]) == ("refused", 1)
    assert said["messages"] == ["billing: a.csv is a web page, not data"]
    assert "LandingRefused" in (night.home.log / "last_error.txt").read_text()
    (notice,) = webhook.got
    assert notice["title"] == "Acme: the night was refused"
    assert "billing: a.csv is a web page, not data" in notice["message"]


def test_the_command_line_says_the_same_as_monitoring_reads(night):
    result = run_of(night, RuntimeError("a dbt test is red"))
    assert endings.outcome_of(result.all_events) == endings.Outcome(1, ("a dbt test is red",))
    assert last_run(night)["messages"] == ["a dbt test is red"]


def test_a_mistake_that_only_the_night_finds_is_still_wrong_configuration(night):
    result = run_of(night, ConfigurationError("no source has any data"))
    assert endings.outcome_of(result.all_events).exit_code == last_run(night)["exit_code"] == 2


def test_a_night_that_cannot_begin_is_said_and_told(tmp_path, night, webhook):
    Path(night.config_file).write_text(CONFIGURATION + "as_of: latest_data\n")
    (tmp_path / "inbox/a.csv").unlink()
    result = run_of(night)
    assert not result.success
    (said,) = last_run(night)["messages"]
    assert last_run(night)["exit_code"] == 2
    assert (
        "no source has any data" in said and "no source has any data" in webhook.got[0]["message"]
    )
    assert endings.outcome_of(result.all_events) == endings.Outcome(2, (said,))


def test_another_night_that_runs_is_not_spoken_over(night, monkeypatch):
    def held(_: Home) -> Any:
        raise NightRunning("another night is running")

    monkeypatch.setattr("dagster_project.night.one_night_at_a_time", held)
    assert not run_of(night).success
    assert not night.home.log.exists()


def test_a_night_that_goes_well_says_nothing_here(night, webhook):
    assert run_of(night).success
    assert not night.home.log.exists() and webhook.got == []


def test_a_notice_that_cannot_be_sent_stands_beside_the_reasons(night, webhook):
    webhook.status = 500
    run_of(night, RuntimeError("a dbt test is red"))
    red, untold = last_run(night)["messages"]
    assert red == "a dbt test is red" and untold.startswith("Notice    not sent to notices.to.0")


@pytest.mark.parametrize("days", [0, -1])
def test_only_a_night_that_is_not_over_says_so(night, caplog, days):
    today = today_in("Pacific/Kiritimati")
    day = today + dt.timedelta(days)
    named = Night(config_file=night.config_file, home_folder=night.home_folder, as_of=str(day))
    with caplog.at_level("INFO", logger="customer_health.progress"):
        assert run_of(named).output_for_node("step") == str(day)
    notes = [line for line in caplog.messages if "is not over in Pacific/Kiritimati" in line]
    assert len(notes) == (1 if days == 0 else 0)


def test_a_night_to_come_is_wrong_configuration_whoever_starts_it(night):
    day = str(today_in("Pacific/Kiritimati") + dt.timedelta(1))
    named = Night(config_file=night.config_file, home_folder=night.home_folder, as_of=day)
    assert not run_of(named).success
    assert last_run(night)["exit_code"] == 2
    assert "has not begun" in last_run(night)["messages"][0]


@pytest.mark.parametrize(
    "asked",
    [
        dg.DagsterExecutionInterruptedError(),
        KeyboardInterrupt(),
        RuntimeError("Query interrupted"),  # what DuckDB makes of it
    ],
)
def test_a_night_that_is_asked_to_stop_says_so_and_blames_no_step(night, webhook, asked):
    result = run_of(night, asked)
    stopped = "stopped before its end; run it again"
    assert endings.outcome_of(result.all_events) == endings.Outcome(130, (stopped,))
    assert (last_run(night)["exit_code"], last_run(night)["messages"]) == (130, [stopped])


def test_rules_that_name_no_signal_are_a_mistake_of_the_configuration(monkeypatch, tmp_path):
    def find_none(*_: Any, **__: Any) -> None:
        raise UnknownSignalError("the rules name signals that there are not: no_such")

    monkeypatch.setattr(scores, "score_night", find_none)
    monkeypatch.setattr(scores.warehouse, "hand_over_contract", lambda _: {})
    monkeypatch.setattr(scores.warehouse, "run_id", lambda _: "r")
    monkeypatch.setattr(scores, "read_noted", lambda _: {})
    company = SimpleNamespace(language="en", currency="EUR")
    rules = SimpleNamespace(company=company, scoring=None, as_kept=dict)
    night = SimpleNamespace(
        home=Home(tmp_path), configuration=rules, date=NIGHT, config_file="/acme/health.yml"
    )
    with pytest.raises(ConfigurationError, match=r"^/acme/health\.yml: scoring: the rules"):
        scores.say(night)
