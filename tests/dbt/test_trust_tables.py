"""Data health, alarms of facts, metric definitions, and the list of entities in SQL."""

from __future__ import annotations

import re
from typing import Any

import yaml

from exports.tables import EXPORTS
from ingest.contracts import ENTITIES
from tests.warehouse import DBT, Rows, run_models

NIGHT = "2024-06-30"
SUBSCRIPTION = {
    "subscription_id": "s",
    "customer_id": "a",
    "term_start": "2024-01-01",
    "term_end": "2025-01-01",
    "mrr": 100,
}


def delivery(number: int, entity: str, status: str = "landed", **more: Any) -> dict[str, Any]:
    return {
        "delivery_id": f"d{number}",
        "entity": entity,
        "source": "crm",
        "file_name": f"{number}.csv",
        "status": status,
        "delivered": 10,
        "accepted": 7,
        "quarantined": 2,
        "duplicate": 1,
        "admitted_on": NIGHT,
        "delivered_on": NIGHT,
    } | more


def health(entity: str, deliveries: Rows, alarms: Rows = (), **raw: Rows) -> dict[str, Any]:
    connection = run_models(raw, NIGHT, ["data_health"], deliveries=deliveries, alarms=alarms)
    found = connection.execute(f"select * from night.main.data_health where entity = '{entity}'")
    names = [column[0] for column in found.description]
    return dict(zip(names, found.fetchall()[0], strict=True))


def alarms(raw: dict[str, Rows], **more: Any) -> list[tuple[Any, ...]]:
    connection = run_models(raw, NIGHT, ["int_alarms_raised"], **more)
    return connection.execute(
        "select kind, entity, opened_on::varchar, detail"
        " from night.intermediate.int_alarms_raised order by all"
    ).fetchall()


def test_the_entities_in_sql_are_those_of_the_contracts():
    text = (DBT / "macros" / "entities.sql").read_text(encoding="utf-8")
    listed = yaml.safe_load(
        re.search(r"return\((\[.*\])\)", text, re.DOTALL)
        .group(1)
        .replace("customer + [", "['to_customer', ")
        .replace("'parents': customer", "'parents': to_customer")
        .replace("none", "null")
    )
    found = {row["name"]: row for row in listed}
    assert list(found) == list(ENTITIES)
    for entity in ENTITIES.values():
        row = found[entity.name]
        assert row["group"] == entity.system, entity.name
        assert row["key"] == list(entity.key), entity.name
        assert row["happened"] == entity.business_time, entity.name
        parents = row["parents"]
        if parents == "to_customer":
            parents = [["customer_id", "customers"]]
        elif parents and parents[0] == "to_customer":
            parents = [["customer_id", "customers"], *parents[1:]]
        assert [tuple(parent) for parent in parents] == list(entity.parents), entity.name


def test_rows_of_all_files_of_an_entity_add_up():
    found = health(
        "tickets", [delivery(1, "tickets"), delivery(2, "tickets"), delivery(3, "surveys")]
    )
    assert (found["delivered"], found["accepted"]) == (20, 14)
    assert (found["quarantined"], found["duplicate"]) == (4, 2)


def test_what_never_came_is_not_connected_and_has_no_counts():
    found = health("tickets", [])
    assert found["status"] == "not_connected"
    assert (found["delivered"], found["orphaned"], found["freshness_hours"]) == (None, None, None)


def test_silence_makes_a_source_stale_after_the_configured_days():
    ticket = {"ticket_id": "t", "customer_id": "a", "opened_at": "2024-06-26T12:00:00Z"}
    fresh = [delivery(1, "tickets", delivered_on="2024-06-27")]
    found = health("tickets", fresh, tickets=[ticket])
    assert (found["status"], float(found["freshness_hours"])) == ("fresh", 108.0)
    stale = [delivery(1, "tickets", delivered_on="2024-06-26")]
    assert health("tickets", stale, tickets=[ticket])["status"] == "stale"


def test_freshness_is_the_age_of_the_newest_event_else_of_the_last_file_and_never_negative():
    """What came after a night that was named late is not from the future of its data."""
    opened = {"ticket_id": "t", "customer_id": "a", "opened_at": "2024-06-20T00:00:00Z"}
    came_today = [delivery(1, "tickets", delivered_on="2024-06-30")]
    found = health("tickets", came_today, tickets=[opened])
    assert (found["status"], float(found["freshness_hours"])) == ("fresh", 264.0)
    for day, hours in (("2024-06-28", 48.0), ("2024-06-30", 0.0), ("2024-07-02", 0.0)):
        tenants = [delivery(1, "tenants", delivered_on=day)]
        tenant = {"tenant_id": "t", "customer_id": "a"}
        found = health("tenants", tenants, tenants=[tenant])
        assert float(found["freshness_hours"]) == hours, day


def test_a_refused_file_shows_until_the_door_takes_its_alarm_back():
    alarm = {
        "alarm_id": "1",
        "kind": "file_refused",
        "entity": "tickets",
        "opened_on": NIGHT,
        "detail": "tickets.csv is an HTML page",
    }
    ticket = {"ticket_id": "t", "customer_id": "a", "opened_at": "2024-06-26T12:00:00Z"}
    deliveries = [delivery(1, "tickets")]
    assert health("tickets", deliveries, [alarm], tickets=[ticket])["status"] == "refused"
    assert health("tickets", deliveries, tickets=[ticket])["status"] == "fresh"


def test_orphans_are_counted_where_the_parent_is_connected():
    ticket = {"ticket_id": "t", "customer_id": "missing", "opened_at": "2024-06-26T12:00:00Z"}
    customers = [
        {"customer_id": "a", "created_at": "2023-01-01"},
        {"customer_id": "b", "created_at": "2023-01-01", "merged_into_customer_id": "a"},
    ]
    of_merged = ticket | {"ticket_id": "u", "customer_id": "b"}
    deliveries = [delivery(1, "tickets")]
    found = health("tickets", deliveries, customers=customers, tickets=[ticket, of_merged])
    assert found["orphaned"] == 1
    assert health("tickets", deliveries, tickets=[ticket])["orphaned"] == 0


def test_a_tenant_that_belongs_to_nobody_is_an_alarm_with_its_volume():
    events = [
        {
            "occurred_at": "2024-06-20T10:00:00Z",
            "tenant_id": tenant,
            "user_id": user,
            "event_name": "login",
        }
        for tenant, user in (("known", "u"), ("strange", "v"), ("strange", "w"))
    ]
    tenants = [{"tenant_id": "known", "customer_id": "a"}]
    found = alarms({"product_events": events, "tenants": tenants})
    assert found == [
        (
            "tenant_unknown",
            "product_events",
            "2024-06-20",
            "Tenant strange belongs to no customer: 2 events of 2 users wait for it.",
        )
    ]


def test_many_tenants_that_belong_to_nobody_are_one_alarm():
    events = [
        {
            "occurred_at": f"2024-06-{20 - n}T10:00:00Z",
            "tenant_id": f"t{n:02}",
            "user_id": f"u{n}",
            "event_name": "login",
        }
        for n in range(12)
    ]
    tenants = [{"tenant_id": "t00", "customer_id": "a"}]
    found = alarms({"product_events": events, "tenants": tenants})
    told = "11 tenants belong to no customer, such as t01: 11 events of 11 users wait for them."
    assert found == [("tenant_unknown", "product_events", "2024-06-09", told)]
    tenants.append({"tenant_id": "t01", "customer_id": "b"})
    assert len(alarms({"product_events": events, "tenants": tenants})) == 10


def test_rows_that_join_nothing_are_an_alarm_where_they_are_many():
    customers = [{"customer_id": "001AAA", "created_at": "2023-01-01"}]
    strange = [SUBSCRIPTION | {"subscription_id": f"s{n}", "customer_id": "001"} for n in range(2)]
    known = [
        SUBSCRIPTION | {"subscription_id": f"k{n}", "customer_id": "001AAA"} for n in range(18)
    ]
    deliveries = [delivery(1, "subscriptions", quarantined=0)]
    raw = {"customers": customers, "subscriptions": known + strange}
    assert alarms(raw, deliveries=deliveries) == []  # 2 of 20 are a tenth
    raw["subscriptions"] = known[1:] + strange
    assert alarms(raw, deliveries=deliveries) == [
        (
            "rows_orphaned",
            "subscriptions",
            deliveries[0]["admitted_on"],
            "2 of 19 rows of subscriptions belong to nothing that was delivered, such as "
            "customer_id 001: are ids written alike on both sides?",
        )
    ]
    del raw["customers"]
    assert alarms(raw, deliveries=deliveries) == []


def test_rows_in_quarantine_are_an_alarm_where_they_are_many():
    some = delivery(1, "tickets", delivered=100, accepted=95, quarantined=5)
    refused = delivery(2, "tickets", "refused", delivered=9, accepted=0, quarantined=9)
    assert alarms({}, deliveries=[some, refused]) == []  # 5 of 100 are a twentieth
    more = delivery(3, "tickets", delivered=10, accepted=9, quarantined=1)
    assert alarms({}, deliveries=[some, refused, more]) == [
        (
            "rows_quarantined",
            "tickets",
            NIGHT,
            "6 of 110 rows of tickets are in quarantine and count nowhere; `customer-health check` "
            "says why.",
        )
    ]


def vanishing(delivered_on: str, number: int) -> dict[str, Any]:
    return {
        "batch_id": f"customers-{number}",
        "entity": "customers",
        "source": "test",
        "delivery": "full",
        "file_name": f"{delivered_on}.csv",
        "delivered_on": delivered_on,
        "known_at": f"{delivered_on}T20:00:00Z",
        "batch_order": number,
        "row_count": 1,
        "is_first_load": number == 1,
    }


def test_a_paying_customer_gone_from_the_crm_is_an_alarm():
    customers = [{"customer_id": "a", "name": "Ada", "created_at": "2023-01-01"}]
    batches = [vanishing("2024-06-01", 1), vanishing("2024-06-10", 2)]
    found = alarms({"customers": customers, "subscriptions": [SUBSCRIPTION]}, batches=batches)
    assert found == [
        (
            "customer_vanished",
            "customers",
            "2024-06-10",
            "Customer a (Ada) is gone from the delivery, with 1200 EUR of ARR running.",
        )
    ]
    ended = SUBSCRIPTION | {"term_end": "2024-06-01"}
    assert alarms({"customers": customers, "subscriptions": [ended]}, batches=batches) == []


def test_terms_in_a_currency_without_a_rate_are_an_alarm():
    foreign = SUBSCRIPTION | {"currency": "USD"}
    found = alarms({"subscriptions": [foreign]})
    assert [(*row[:2], row[3]) for row in found] == [
        (
            "rate_missing",
            "exchange_rates",
            "No rate for USD when a term began: MRR counts from the first rate on.",
        )
    ]


def test_every_metric_is_defined_once_and_owned():
    connection = run_models({}, NIGHT, ["metric_definitions"])
    found = connection.execute(
        """
        select count(*), count(distinct metric), count(formula), count(owner)
        from night.main.metric_definitions
        """
    ).fetchall()[0]
    assert len(set(found)) == 1
    assert found[0] > 30


def test_a_metric_under_another_name_says_where_it_is_published():
    published = {f"{table.name}.{column}" for table in EXPORTS for column in table.columns}
    connection = run_models({}, NIGHT, ["metric_definitions"])
    found = connection.execute(
        "select metric, stands_in from night.main.metric_definitions where stands_in is not null"
    ).fetchall()
    assert dict(found)["new_mrr"] == "mrr_bridge_monthly.new"
    assert {place for _, places in found for place in places.split(", ")} <= published


def test_tonight_is_listed_with_what_it_was_made_from():
    connection = run_models({}, NIGHT, ["runs"])
    found = connection.execute(
        "select run_id, as_of_date::varchar, is_reconstructed from night.main.runs"
    ).fetchall()
    assert found == [("test-run", NIGHT, False)]


def test_an_alarm_tells_how_many_open_warnings_its_silent_feed_holds():
    held = "unnest(['usage', 'crm, usage', 'orders', null, 'usage']) as held_by"
    warnings = (
        f"select {held}, unnest(['opened', 'ongoing', 'opened', 'opened', 'closed']) as status"
    )
    told = [
        {"alarm_id": "a", "kind": "file_refused", "entity": "product_events"},
        {"alarm_id": "b", "kind": "file_refused", "entity": "contacts"},
        {"alarm_id": "c", "kind": "file_refused", "entity": "targets"},
        {"alarm_id": "d", "kind": "rate_missing", "entity": "orders"},
    ]
    alarms = [alarm | {"opened_on": NIGHT} for alarm in told]
    connection = run_models(
        {}, NIGHT, ["data_alarms"], alarms=alarms, scores={"churn_warnings": warnings}
    )
    counted = connection.execute(
        "select alarm_id, held_warning_count from night.main.data_alarms order by all"
    ).fetchall()
    assert counted == [("a", 2), ("b", 1), ("c", 0), ("d", 0)]
