import datetime as dt
from dataclasses import replace

import duckdb
import pytest
from pydantic import ValidationError

from exports.config import Company
from exports.notices import NoticesConfig, tell_alarms, tell_digests, tell_failure
from tests.exports.private_night import D
from tests.webhook import listening_webhook

ACME = Company("Acme", "EUR")


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
    assert tell_alarms(config, ACME, published.database, D, previous_night=None) == []
    assert tell_alarms(config, ACME, published.database, D, D - dt.timedelta(days=1)) == []
    assert tell_alarms(config, ACME, published.database, D + dt.timedelta(days=1), D) == []
    assert [notice["title"] for notice in webhook.got] == [
        f"Acme: 1 new data alarm, night of {D}"
    ] * 2
    assert webhook.got[0]["message"] == ("Source stale (product events): -no file since 2024-06-28")


def test_only_what_is_wanted_is_told(webhook, published):
    config = NoticesConfig(to=[webhook.address], of=["alarm"])
    tell_failure(config, "Acme", ["red"])
    config = NoticesConfig(to=[webhook.address], of=["failure"])
    tell_alarms(config, ACME, published.database, D, None)
    assert webhook.got == []


def test_each_csm_gets_the_open_warnings_within_budget_by_rank(webhook, tmp_path):
    database = tmp_path / "night.duckdb"
    with duckdb.connect(database) as connection:
        connection.execute(
            """
            create table customer_360 as
            from (values ('a', 'Ada'), ('b', null), ('c', 'Cid')) t (customer_id, customer_name);
            create table churn_warnings as
            select * from (values
                ('w1', 'e1', 'a', 'no_owner', date '2024-07-07', 12000, 2, true, null),
                ('w2', 'e1', 'b', 'usage_down', null, null, 1, true, null),
                ('w3', 'e1', 'c', 'no_owner', null, 100, 3, false, null),
                ('w4', 'e1', 'c', 'no_owner', null, 100, 4, true, date '2024-06-29'),
                ('w5', 'e2', 'c', 'no_owner', null, 100, 1, true, null)
            ) t (warning_id, csm_id, customer_id, reason_code, due_date, due_arr, rank,
                is_within_budget, closed_on)
            """
        )
    config = NoticesConfig(digests={"e1": webhook.address, "nobody": webhook.address})
    assert tell_digests(config, ACME, database, D) == []
    (notice,) = webhook.got
    assert notice["title"] == f"Acme: 2 customers to look after, night of {D}"
    assert notice["message"].splitlines() == [
        "b: Use is falling",
        "Ada: Has no owner, act by 2024-07-07, 12,000 EUR due",
    ]

    chinese = replace(ACME, name="样例 & 合作", language="zh")
    assert tell_digests(config, chinese, database, D) == []
    notice = webhook.got[-1]
    assert notice["title"] == f"样例 & 合作：2 位客户需要关注，{D} 夜间批次"
    assert notice["message"].splitlines() == [
        "b: 活跃用户减少",
        "Ada: 无负责人、最迟 2024-07-07、到期 12,000 EUR",
    ]


def test_failures_and_alarms_are_told_in_the_companys_language(webhook, published):
    config = NoticesConfig(to=[webhook.address])
    chinese = replace(ACME, language="zh")
    tell_failure(config, "Acme", ["stg_crm__tickets"], "zh")
    tell_alarms(config, chinese, published.database, D, None)
    refused, alarms = webhook.got
    assert refused["title"] == "Acme：本夜批次被拒绝"
    assert refused["message"] == "stg_crm__tickets\n没有发布任何内容；保留上一个成功的批次。"
    assert alarms["title"] == f"Acme：1 条新数据告警，{D} 夜间批次"
    assert alarms["message"] == "数据源过期 (产品事件)"


def test_a_service_that_does_not_take_a_notice_is_told_without_its_address(webhook, published):
    webhook.status = 500
    config = NoticesConfig(to=[webhook.address], digests={"e2": webhook.address})
    told = [
        *tell_failure(config, "Acme", ["red"]),
        *tell_alarms(config, ACME, published.database, D, None),
        *tell_digests(config, ACME, published.database, D),
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
