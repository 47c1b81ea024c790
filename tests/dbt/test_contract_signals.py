"""The tables between SQL and scoring: what was known then, outcomes, hours, answers."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.settings import Definitions
from scoring.signals import CUSTOMER_OUTCOMES, CUSTOMER_SIGNALS
from tests.warehouse import Rows, compiled_manifest, run_models

NIGHT = "2024-06-30"


def subscription(number: int, start: str, end: str, mrr: int, **more: Any) -> dict[str, Any]:
    return {
        "subscription_id": f"s{number}",
        "customer_id": "a",
        "product_id": f"p{number}",
        "term_start": start,
        "term_end": end,
        "mrr": mrr,
    } | more


def test_signals_have_the_columns_scoring_reads():
    nodes = compiled_manifest()["nodes"]
    for model, columns in (
        ("customer_signals", CUSTOMER_SIGNALS),
        ("customer_outcomes", CUSTOMER_OUTCOMES),
    ):
        assert set(columns) <= set(nodes[f"model.customer_health.{model}"]["columns"])


LATE: dict[str, dict[str, Any]] = {
    "customers": {"customer_id": "a", "segment": "late", "created_at": "2023-01-01"},
    "subscriptions": subscription(2, "2024-02-01", "2025-02-01", 500),
    "interactions": {
        "interaction_id": "late",
        "customer_id": "a",
        "occurred_at": "2024-05-01T10:00:00Z",
        "direction": "outbound",
    },
    "messages": {
        "message_id": "late",
        "customer_id": "a",
        "sent_at": "2024-05-01T10:00:00Z",
        "is_from_customer": True,
    },
    "tickets": {
        "ticket_id": "late",
        "customer_id": "a",
        "opened_at": "2024-05-01T10:00:00Z",
        "satisfaction_score": 1,
    },
    "surveys": {
        "survey_id": "late",
        "customer_id": "a",
        "kind": "nps",
        "sent_at": "2024-05-01T10:00:00Z",
        "responded_at": "2024-05-02T10:00:00Z",
        "score": 0,
    },
    "csm_assessments": {
        "customer_id": "a",
        "assessed_at": "2024-05-01T10:00:00Z",
        "view": "red",
    },
    "ownerships": {
        "customer_id": "a",
        "role": "csm",
        "valid_from": "2024-02-01",
        "employee_id": "late",
    },
    "product_events": {
        "occurred_at": "2024-05-01T10:00:00Z",
        "customer_id": "a",
        "user_id": "late",
        "event_name": "login",
    },
    "onboarding_steps": {
        "customer_id": "a",
        "round_no": 2,
        "step": "go_live",
        "done_at": "2024-05-01T10:00:00Z",
    },
    "contacts": {"contact_id": "late", "customer_id": "a", "is_champion": True},
    "payments": {
        "payment_id": "late",
        "order_id": "o",
        "paid_at": "2024-05-01",
        "amount": 1,
        "kind": "payment",
    },
}


def plain_rows() -> dict[str, list[dict[str, Any]]]:
    return {
        "customers": [{"customer_id": "a", "segment": "small", "created_at": "2023-01-01"}],
        "subscriptions": [subscription(1, "2024-01-01", "2025-01-01", 100)],
        "interactions": [
            {
                "interaction_id": "1",
                "customer_id": "a",
                "occurred_at": "2024-01-10T10:00:00Z",
                "direction": "outbound",
            }
        ],
        "tickets": [{"ticket_id": "1", "customer_id": "a", "opened_at": "2024-02-01T10:00:00Z"}],
        "product_events": [
            {
                "occurred_at": "2024-03-01T10:00:00Z",
                "customer_id": "a",
                "user_id": "u",
                "event_name": "login",
            }
        ],
        "ownerships": [
            {
                "customer_id": "a",
                "role": "csm",
                "valid_from": "2024-01-01",
                "employee_id": "e",
            }
        ],
    }


def signals(raw: Rows | dict[str, Any], until: str, night: str = NIGHT) -> list[tuple[Any, ...]]:
    batches = [
        {
            "batch_id": f"{entity}-{number}",
            "entity": entity,
            "source": "test",
            "delivery": "changes",
            "file_name": f"{number}.csv",
            "known_at": known_at,
            "batch_order": number,
            "row_count": 1,
            "is_first_load": number == 1,
        }
        for entity in raw
        for number, known_at in ((1, "2024-01-01T00:00:00Z"), (2, "2024-06-20T12:00:00Z"))
    ]
    connection = run_models(raw, night, ["customer_signals"], batches=batches)
    return connection.execute(
        f"""
        select * from night.contract.customer_signals where known_on <= '{until}' order by all
        """
    ).fetchall()


@pytest.mark.parametrize("entity", sorted(LATE))
def test_what_is_learnt_later_changes_no_earlier_date(entity):
    """A row that becomes known on 20 June leaves the dates up to 16 June as they were."""
    raw = plain_rows()
    before = signals(raw, "2024-06-16")
    late = LATE[entity] | {
        "_known_at": "2024-06-20T12:00:00Z",
        "_version_at": "2024-06-20T12:00:00Z",
        "_batch_id": f"{entity}-2",
        "_file_name": "2.csv",
    }
    raw[entity] = [*raw.get(entity, []), late]
    assert signals(raw, "2024-06-16") == before
    assert len(before) > 10


def test_the_past_is_the_same_from_every_later_night():
    raw = plain_rows()
    assert signals(raw, "2024-04-28", "2024-04-30") == signals(raw, "2024-04-28", "2024-06-30")


def test_states_are_said_for_tonight_and_last_night_only():
    connection = run_models(plain_rows(), NIGHT, ["customer_signals"], previous_night="2024-06-27")
    found = connection.execute(
        """
        select as_of_date::varchar, known_on::varchar from night.contract.customer_signals
        where usage_state is not null order by 1
        """
    ).fetchall()
    assert found == [("2024-06-27", "2024-06-30"), ("2024-06-30", "2024-06-30")]


def overdue(night: str, *rows: dict[str, Any]) -> dict[str, Any]:
    """Of each customer with a renewal overdue: its date, days, months and ARR."""
    connection = run_models({"subscriptions": rows}, night, ["customer_signals"])
    found = connection.execute(
        """
        select customer_id, overdue_renewal_date::varchar, overdue_renewal_days,
            overdue_renewal_term_months, overdue_renewal_arr::int
        from night.contract.customer_signals
        where overdue_renewal_date is not null
        """
    ).fetchall()
    return {customer_id: tuple(rest) for customer_id, *rest in found}


def test_a_renewal_is_overdue_from_the_end_of_its_term_to_that_of_the_grace():
    ended = subscription(1, "2023-06-23", "2024-06-23", 100)
    late = ("2024-06-23", 7, 12, 1200)
    assert overdue("2024-06-22", ended) == {}
    assert overdue(NIGHT, ended) == {"a": late}
    assert overdue("2024-09-21", ended) == {}


def test_what_is_renewed_refused_or_free_is_not_overdue():
    ends = ("2023-06-23", "2024-06-23")
    renewed = {"customer_id": "renewed", "product_id": "p"}
    again = [
        subscription(1, *ends, 100, **renewed),
        subscription(2, "2024-06-23", "2025-06-23", 90, **renewed),
    ]
    refused = subscription(
        3, *ends, 100, customer_id="refused", non_renewal_noted_at="2024-05-01T00:00:00Z"
    )
    free = subscription(4, *ends, 0, customer_id="free")
    assert overdue(NIGHT, *again, refused, free, subscription(5, *ends, 50)) == {
        "a": ("2024-06-23", 7, 12, 600)
    }


def ages(*delivered: tuple[str, str]) -> list[tuple[Any, ...]]:
    """Days since usage, CRM and orders delivered, by signal date, of (entity, day) delivered."""
    batches = [
        {
            "batch_id": f"{entity}-{number}",
            "entity": entity,
            "source": "test",
            "delivery": "full",
            "file_name": f"{number}.csv",
            "delivered_on": day,
            "known_at": f"{day}T20:00:00Z",
            "batch_order": number,
            "row_count": 1,
            "is_first_load": True,
        }
        for number, (entity, day) in enumerate(delivered, start=1)
    ]
    connection = run_models(
        {"subscriptions": [subscription(1, "2024-01-01", "2025-01-01", 100)]},
        NIGHT,
        ["customer_signals"],
        batches=batches,
    )
    return connection.execute(
        """
        select as_of_date::varchar, usage_stale_days, crm_stale_days, orders_stale_days
        from night.contract.customer_signals
        where as_of_date >= '2024-06-20' order by 1
        """
    ).fetchall()


def test_a_group_that_never_delivered_has_no_age():
    found = ages(("subscriptions", "2024-06-28"))
    assert found == [("2024-06-23", None, None, 0), ("2024-06-30", None, None, 2)]


def test_neither_lists_of_users_nor_answers_to_warnings_make_a_group_fresh():
    told = [("subscriptions", "2024-06-28"), ("tickets", "2024-06-12")]
    told += [("product_events", "2024-06-13")]
    lists = ["tenants", "product_users", "features", "playbook_runs"]
    found = ages(*told, *((entity, "2024-06-29") for entity in lists))
    assert found[-1] == ("2024-06-30", 17, 18, 2)
    only_lists = ages(("subscriptions", "2024-06-28"), *((e, "2024-06-29") for e in lists))
    assert only_lists[-1] == ("2024-06-30", None, None, 2)


@pytest.mark.parametrize("user_id", ["u1", None])
def test_use_is_connected_for_signals_of_users_where_an_event_names_one(user_id: str | None):
    event = {"occurred_at": "2024-06-03T09:00:00Z", "customer_id": "c1", "event_name": "login"}
    connection = run_models(
        {
            "subscriptions": [subscription(1, "2024-01-01", "2025-01-01", 100)],
            "product_events": [event | {"user_id": user_id}],
        },
        NIGHT,
        ["connections"],
    )
    found = connection.execute(
        "from night.contract.connections where entity like 'product_events%' order by entity"
    ).fetchall()
    assert found == [("product_events", True), ("product_events.user_id", user_id is not None)]


def outcomes(night: str, kind: str, *subscriptions: dict[str, Any]) -> list[tuple[Any, ...]]:
    connection = run_models({"subscriptions": subscriptions}, night, ["customer_outcomes"])
    return connection.execute(
        f"""
        select outcome_date::varchar, outcome, arr::int, known_on::varchar, is_provisional
        from night.contract.customer_outcomes where kind = '{kind}' order by all
        """
    ).fetchall()


def test_a_loss_is_certain_at_the_end_of_the_grace():
    ended = subscription(1, "2023-01-01", "2024-01-01", 100)
    lost = ("2024-01-01", "churned", 1200, "2024-03-31")
    assert outcomes("2024-02-01", "mrr_loss", ended) == [(*lost, True)]
    assert outcomes("2024-04-30", "mrr_loss", ended) == [(*lost, False)]


def test_what_is_back_within_the_grace_is_not_lost():
    ended = subscription(1, "2023-01-01", "2024-01-01", 100)
    back = subscription(2, "2024-02-15", "2025-02-15", 100, product_id="p1")
    assert outcomes("2024-04-30", "mrr_loss", ended, back) == []


def test_a_small_contraction_is_no_loss_and_a_slow_large_one_is():
    large = subscription(1, "2023-01-01", "2024-01-01", 60)
    small = subscription(2, "2023-01-01", "2024-03-01", 30)
    rest = subscription(3, "2023-01-01", "2025-01-01", 70)
    assert outcomes("2024-06-30", "mrr_loss", small, rest) == []
    assert [row[:3] for row in outcomes("2024-06-30", "mrr_loss", large, small, rest)] == [
        ("2024-03-01", "contracted", 360)
    ]


def test_renewals_are_outcomes_on_the_day_they_were_due():
    ended = subscription(1, "2023-01-01", "2024-01-01", 100)
    later = subscription(2, "2024-01-01", "2025-01-01", 100, product_id="p1")
    found = outcomes("2024-06-30", "renewal", ended, later)
    assert found[0][:3] == ("2024-01-01", "renewed_on_time", 1200)
    assert not found[0][4]


def test_what_has_no_rate_is_compared_with_nothing():
    euros = subscription(1, "2024-01-01", "2024-05-01", 100)
    francs = subscription(2, "2024-05-01", "2025-05-01", 60, currency="CHF", product_id="p1")
    rows = [euros, francs, subscription(3, "2024-01-01", "2025-01-01", 100, customer_id="b")]
    connection = run_models({"subscriptions": rows}, NIGHT, ["customer_signals"])
    found = connection.execute(
        f"""
        select customer_id, status, mrr::int, mrr_90d_ago::int from night.contract.customer_signals
        where as_of_date = '{NIGHT}' and known_on = as_of_date order by 1
        """
    ).fetchall()
    assert found == [("a", "renewed", None, None), ("b", "formal", 100, 100)]


def capacity(**raw: Rows) -> list[tuple[Any, ...]]:
    connection = run_models(raw, NIGHT, ["csm_capacity"])
    return connection.execute(
        """
        select csm_id, csm_name, weekly_hours, round(used_hours, 3), round(hours_left, 3),
            customer_count
        from night.contract.csm_capacity order by 1
        """
    ).fetchall()


def test_hours_left_are_hours_less_what_tiers_and_renewals_take():
    owned = {"customer_id": "a", "role": "csm", "valid_from": "2024-01-01", "employee_id": "e"}
    employee = {"employee_id": "e", "name": "Eve", "started_on": "2020-01-01", "role": "csm"}
    raw = {
        "subscriptions": [subscription(1, "2024-01-01", "2024-08-01", 2000)],
        "ownerships": [owned],
    }
    # tier growth: 2 hours a month; a renewal due within 90 days: 4 hours over 90 days
    used = round(2 * 12 / 52 + 4 * 7 / 90, 3)
    assert capacity(**raw, employees=[employee | {"weekly_hours": 30}]) == [
        ("e", "Eve", 30.0, used, round(30 - used, 3), 1)
    ]
    assert capacity(**raw) == [("e", None, None, used, None, 1)]


def test_without_ownerships_and_employees_nobody_has_hours():
    assert capacity(subscriptions=[subscription(1, "2024-01-01", "2024-08-01", 2000)]) == []


def test_the_next_renewal_tells_how_long_its_term_was():
    rows = [subscription(1, "2024-01-01", "2025-01-01", 100)]
    rows.append(subscription(2, "2024-06-01", "2024-07-01", 50))
    connection = run_models({"subscriptions": rows}, NIGHT, ["customer_signals"])
    found = connection.execute(
        """
        select as_of_date::varchar, next_renewal_term_months
        from night.contract.customer_signals
        where as_of_date in ('2024-06-30', '2024-05-26') and known_on = as_of_date order by 1
        """
    ).fetchall()
    assert found == [("2024-05-26", 12), ("2024-06-30", 1)]


def use_of(customer_id: str, day: str, **more: Any) -> dict[str, Any]:
    return {
        "occurred_at": f"{day}T10:00:00Z",
        "tenant_id": f"t-{customer_id}",
        "user_id": "u",
        "event_name": "login",
    } | more


def signals_of(
    night: str, columns: str, *events: dict[str, Any], known_on: str | None = None
) -> dict[str, Any]:
    """Signals by customer at a date; `report` is the event that shows value."""
    starts = {"older": "2023-06-01", "newer": "2024-03-15", "user": "2023-06-01"}
    raw = {
        "subscriptions": [
            subscription(n, start, "2026-01-01", 100, customer_id=name)
            for n, (name, start) in enumerate(starts.items())
        ],
        "tenants": [{"tenant_id": f"t-{name}", "customer_id": name} for name in starts],
        "product_events": list(events),
    }
    definitions = Definitions.model_validate({"use": {"value_events": ["report"]}})
    connection = run_models(raw, night, ["customer_signals"], definitions=definitions)
    found = connection.execute(
        f"""
        select customer_id, {columns} from night.contract.customer_signals
        where as_of_date = '{known_on or night}' and known_on = as_of_date
        """
    ).fetchall()
    return {name: tuple(rest) for name, *rest in found}


def first_uses(night: str, *events: dict[str, Any], known_on: str | None = None) -> dict[str, Any]:
    """(has_use_ever, days_without_first_use, usage_level_ratio) by customer at a date."""
    columns = "has_use_ever, days_without_first_use, usage_level_ratio"
    return signals_of(night, columns, *events, known_on=known_on)


def test_a_feed_that_began_later_than_the_customer_cannot_tell_that_it_never_used():
    """The feed began on 10 February, 50 days before the night; `newer` came 16 days before it."""
    found = first_uses("2024-03-31", use_of("user", "2024-02-10"))
    assert found["older"] == (None, 50, 0)
    assert found["newer"] == (False, 16, None)
    assert found["user"][:2] == (True, None)


def test_who_used_it_on_one_day_and_never_again_is_at_the_lowest_level():
    """Seven whole weeks without use are measured against nothing: no seats, no better weeks."""
    found = first_uses("2024-03-31", use_of("user", "2024-02-10"))
    assert found["user"] == (True, None, 0)


def test_a_feed_of_three_days_says_nothing_of_the_level_of_who_was_not_seen():
    found = first_uses("2024-03-31", use_of("user", "2024-03-28"))
    assert found["older"] == (None, 3, None)
    assert found["newer"] == (None, 3, None)


def test_use_told_late_does_not_lengthen_what_a_feed_had_shown_by_an_earlier_date():
    """On 24 March the feed had shown 43 days; an event of January became known on the 30th."""
    late = use_of("user", "2024-01-05", _known_at="2024-03-30T10:00:00Z")
    events = (use_of("user", "2024-02-10"), late)
    assert first_uses("2024-03-31", *events, known_on="2024-03-24")["older"] == (None, 43, 0)
    assert first_uses("2024-03-31", *events)["older"] == (None, 86, 0)


def test_value_is_asked_for_once_a_feed_has_shown_four_whole_weeks():
    """The feed began on Monday, 4 March; its fourth week ends on Sunday, the 31st."""
    events = [use_of("user", f"2024-03-{day:02d}") for day in range(4, 31)]
    columns = "value_week_count_28d, is_used_without_value"
    assert signals_of("2024-03-30", columns, *events)["user"] == (None, None)
    assert signals_of("2024-03-31", columns, *events)["user"] == (0, True)
    reported = use_of("user", "2024-03-05", event_name="report")
    assert signals_of("2024-03-31", columns, *events, reported)["user"] == (1, False)


def test_events_that_name_no_user_measure_days_and_no_users():
    """The company's users are unknown as well, and those of a feature."""
    events = [use_of("user", f"2024-03-{day:02d}", user_id=None) for day in range(1, 31)]
    columns = "days_since_last_use, active_user_count_28d, usage_level_ratio, value_week_count_28d"
    assert signals_of("2024-03-31", columns, *events)["user"] == (1, None, None, None)
    feature = [{"feature": "write", "is_core": True}]
    raw = {"product_events": [event | {"feature": "write"} for event in events]}
    connection = run_models(
        raw
        | {"features": feature, "tenants": [{"tenant_id": "t-user", "customer_id": "user"}]}
        | {"subscriptions": [subscription(1, "2024-01-01", "2026-01-01", 100, customer_id="user")]},
        "2024-03-31",
        ["kpi_daily", "feature_adoption"],
    )
    kpis = "select dau, wau, mau from kpi_daily where kpi_date = '2024-03-30'"
    assert connection.execute(kpis).fetchall() == [(None, None, None)]
    adoption = "select feature, user_count_28d from feature_adoption"
    assert connection.execute(adoption).fetchall() == [("write", None)]
