"""Who is told of a night; a notice never makes it worse."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dagster_project.config import load
from dagster_project.notices import tell_published, tell_refused
from tests.webhook import listening_webhook

CONFIGURATION = """
company: {name: Acme}
sources:
  billing:
    format: csv
    location: inbox
    entities: {subscriptions: {files: a.csv}}
"""


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "customer_health.yml"
    path.write_text(
        CONFIGURATION + "notices: {to: ['${HEALTH_HOOK}'], digests: {e1: '${HEALTH_HOOK}'}}\n"
    )
    return path


@pytest.fixture
def webhook(monkeypatch):
    with listening_webhook() as listening:
        monkeypatch.setenv("HEALTH_HOOK", listening.address)
        yield listening


def test_a_night_that_was_refused_is_told(config_file, webhook):
    assert tell_refused(config_file, ["the audit is red"]) == []
    assert webhook.got[0]["title"] == "Acme: the night was refused"


def test_a_configuration_that_cannot_be_read_tells_nobody(tmp_path):
    assert tell_refused(tmp_path / "missing.yml", ["no such file"]) == []


def test_what_goes_wrong_in_telling_is_a_line_and_no_error(config_file, webhook, tmp_path):
    night = SimpleNamespace(as_of_date=None, previous_night=None)
    report = SimpleNamespace(night=night, database=tmp_path / "gone.duckdb")
    (line,) = tell_published(load(config_file), report)
    assert line.startswith("Notice    not sent: ") and "secret" not in line
