"""Kept files admitted again: quarantine empties itself of what is now good."""

from __future__ import annotations

from typing import Any

from ingest.raw_relations import active_batches, input_fingerprint
from ingest.replay import replay
from tests.ingest.conftest import NOW

BAD = "customer_id,is_reference\n1,true\n2,ja\n"
GERMAN = {
    "customers": {
        "files": "customers*",
        "columns": {"is_reference": {"sql": "replace(is_reference, 'ja', 'yes')"}},
    }
}


def test_replay_empties_quarantine_and_the_new_batch_takes_the_old_ones_place(door: Any) -> None:
    path = door.drop("customers.csv", BAD)
    assert door.night().quarantined == 1
    path.unlink()
    door.source(entities=GERMAN)
    (report,) = replay(door.home, door.config, door.company, NOW)
    assert (report.delivered, report.accepted, report.quarantined) == (2, 2, 0)
    assert door.quarantine() == []
    assert door.rows("select customer_id, is_reference from raw.customers order by all") == [
        ("1", True),
        ("2", True),
    ]
    assert door.rows("select status, accepted, quarantined from raw.deliveries") == [
        ("landed", 2, 0)
    ]


def test_replay_keeps_when_a_file_was_admitted(door: Any) -> None:
    door.source(entities={"tenants": {"files": "tenants*"}})
    door.drop("tenants.csv", "tenant_id,customer_id\na,1\n,2\n")
    door.night("2024-05-01", "tenants")
    columns = {"tenant_id": {"sql": "coalesce(tenant_id, 'none')"}}
    door.source(entities={"tenants": {"files": "tenants*", "columns": columns}})
    replay(door.home, door.config, door.company, NOW)
    assert door.rows("select distinct _known_at::date::varchar from raw.tenants") == [
        ("2024-05-01",)
    ]


def test_replay_without_a_change_changes_nothing(door: Any) -> None:
    door.drop("customers.csv", BAD)
    door.night()
    before = active_batches(door.home), input_fingerprint(door.home)
    replay(door.home, door.config, door.company, NOW)
    assert (active_batches(door.home), input_fingerprint(door.home)) == before
    assert len(door.quarantine()) == 1


def test_replay_admits_what_was_refused_whole(door: Any) -> None:
    path = door.drop("customers.csv", "id\n1\n")
    assert door.night().files[0].status == "refused"
    path.unlink()
    door.source(entities={"customers": {"files": "customers*", "columns": {"customer_id": "id"}}})
    (report,) = replay(door.home, door.config, door.company, NOW)
    assert report.accepted == 1
    assert door.rows("select * from raw.alarms") == []


def test_replay_refuses_a_cut_file_again(door: Any) -> None:
    door.drop("customers.csv", "customer_id\n1\n2")
    door.night()
    (report,) = replay(door.home, door.config, door.company, NOW)
    assert report.files[0].status == "refused"


def test_a_rate_that_came_later_frees_its_rows(door: Any) -> None:
    door.source(entities={"quotes": {"files": "quotes*"}, "exchange_rates": {"files": "rates*"}})
    head = "quote_id,opportunity_id,created_at,amount,currency\n"
    door.drop("quotes.csv", head + "1,1,2024-01-01,5,EUR\n2,1,2024-01-01,5,USD\n")
    door.nights()
    door.drop("rates.csv", "rate_date,currency,rate\n2024-01-01,USD,0.9\n")
    door.nights("2024-06-01")
    assert len(door.quarantine("quotes")) == 1
    replay(door.home, door.config, door.company, NOW, entity="quotes")
    assert door.quarantine("quotes") == []
