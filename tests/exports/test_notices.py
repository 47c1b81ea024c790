import datetime as dt

import pytest
from pydantic import ValidationError

from exports.notices import NoticesConfig, tell_alarms, tell_digests, tell_failure
from tests.exports.private_night import D
from tests.webhook import listening_webhook


@pytest.fixture
def webhook():
    with listening_webhook() as listening:
        yield listening


def test_a_failure_is_told_with_its_reasons(webhook):
    config = NoticesConfig(to=[webhook.address])
    assert tell_failure(config, "Acme", ["a dbt test is red", "another too"]) == []
    (notice,) = webhook.got
    assert notice["title"] == "Acme: the night was refused"
    assert notice["message"].splitlines() == [
        "a dbt test is red",
        "another too",
        "Nothing was published; the last good night stays.",
    ]


def test_alarms_are_told_once_when_they_are_new(webhook, published):
    config = NoticesConfig(to=[webhook.address])
    assert tell_alarms(config, "Acme", published.database, D, previous_night=None) == []
    assert tell_alarms(config, "Acme", published.database, D, D - dt.timedelta(days=1)) == []
    assert tell_alarms(config, "Acme", published.database, D + dt.timedelta(days=1), D) == []
    assert [notice["title"] for notice in webhook.got] == [
        f"Acme: 1 new data alarms, night of {D}"
    ] * 2
    assert webhook.got[0]["message"] == ("source_stale (product_events): -no file since 2024-06-28")


def test_only_what_is_wanted_is_told(webhook, published):
    config = NoticesConfig(to=[webhook.address], of=["alarm"])
    tell_failure(config, "Acme", ["red"])
    config = NoticesConfig(to=[webhook.address], of=["failure"])
    tell_alarms(config, "Acme", published.database, D, None)
    assert webhook.got == []


def test_each_csm_gets_the_open_warnings_within_budget_by_rank(webhook, published):
    config = NoticesConfig(digests={"e2": webhook.address, "nobody": webhook.address})
    assert tell_digests(config, "Acme", published.database, D, "EUR") == []
    (notice,) = webhook.got
    lines = notice["message"].splitlines()
    assert notice["title"] == f"Acme: {len(lines)} customers to look after, night of {D}"
    assert all(", due 2024-07-07, " in line and line.endswith(" EUR") for line in lines)


def test_a_service_that_does_not_take_a_notice_is_told_without_its_address(webhook, published):
    webhook.status = 500
    config = NoticesConfig(to=[webhook.address], digests={"e2": webhook.address})
    told = [
        *tell_failure(config, "Acme", ["red"]),
        *tell_alarms(config, "Acme", published.database, D, None),
        *tell_digests(config, "Acme", published.database, D, "EUR"),
    ]
    assert told == [
        "Notice    not sent to notices.to.0 (JSON)",
        "Notice    not sent to notices.to.0 (JSON)",
        "Notice    not sent to notices.digests.e2 (JSON)",
    ]


def test_nobody_there_is_told_as_well():
    config = NoticesConfig(to=["json://127.0.0.1:9/hook"])
    assert tell_failure(config, "Acme", ["red"]) == ["Notice    not sent to notices.to.0 (JSON)"]


@pytest.mark.parametrize(
    "address",
    [
        "mailtos://user:pass@example.com?to=team@example.com",
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "wecombot://key",
        "dingtalk://token",
        "feishu://token",
        "jsons://example.com/hook",
    ],
)
def test_the_services_of_the_field_are_known_and_their_addresses_never_shown(address):
    config = NoticesConfig(to=[address])
    assert address not in repr(config)
    assert address not in config.model_dump_json()


def test_an_address_that_nobody_knows_is_an_error():
    with pytest.raises(ValidationError, match="not an address that Apprise knows"):
        NoticesConfig(to=["carrier pigeon"])
