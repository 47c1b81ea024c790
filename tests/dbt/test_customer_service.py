"""What people did with customers: owners, contact, tickets, answers, onboarding."""

from __future__ import annotations

from typing import Any

from dagster_project.settings import Definitions
from tests.warehouse import Rows, run_models

NIGHT = "2024-06-30"
SUBSCRIPTION = {
    "subscription_id": "s",
    "customer_id": "a",
    "term_start": "2024-01-01",
    "term_end": "2025-01-01",
    "mrr": 2000,  # ARR 24,000: tier growth, one_to_few, contact planned every 60 days
}
OWNERSHIP = {
    "customer_id": "a",
    "role": "csm",
    "valid_from": "2024-01-01",
    "employee_id": "e1",
}
EMPLOYEE = {"employee_id": "e1", "name": "Eve", "started_on": "2020-01-01"}


def measure(
    columns: str,
    day: str = NIGHT,
    night: str = NIGHT,
    definitions: Definitions | None = None,
    **raw: Rows,
) -> tuple[Any, ...]:
    """Columns of customer `a` on a day, as known then."""
    connection = run_models(
        {"subscriptions": [SUBSCRIPTION], **raw},
        night,
        ["int_customers_service_at_dates"],
        definitions=definitions,
    )
    found = connection.execute(
        f"""
        select {columns} from night.intermediate.int_customers_service_at_dates
        where customer_id = 'a' and as_of_date = '{day}' and known_on = '{day}'
        """
    ).fetchall()
    assert len(found) == 1
    return found[0]


def test_the_latest_begun_ownership_holds():
    later = OWNERSHIP | {"valid_from": "2024-05-01", "employee_id": "e2"}
    found = measure("csm_id, csm_since::varchar, has_owner", ownerships=[OWNERSHIP, later])
    assert found == ("e2", "2024-05-01", True)
    found = measure("csm_id", day="2024-04-28", ownerships=[OWNERSHIP, later])
    assert found == ("e1",)


def test_an_owner_who_has_left_owns_nobody():
    found = measure(
        "csm_id, has_owner, has_owner_left",
        ownerships=[OWNERSHIP],
        employees=[EMPLOYEE | {"left_on": "2024-06-01"}],
    )
    assert found == (None, False, True)


def test_without_ownerships_it_is_not_known_whether_a_customer_has_an_owner():
    assert measure("csm_id, has_owner, has_owner_left") == (None, None, None)


def test_ours_and_theirs_are_told_apart():
    found = measure(
        "days_since_our_contact, days_since_their_contact",
        interactions=[
            {
                "interaction_id": "1",
                "customer_id": "a",
                "occurred_at": "2024-06-10T10:00:00Z",
                "direction": "outbound",
            },
            {
                "interaction_id": "2",
                "customer_id": "a",
                "occurred_at": "2024-06-20T10:00:00Z",
                "direction": "inbound",
            },
        ],
        tickets=[{"ticket_id": "t", "customer_id": "a", "opened_at": "2024-06-25T10:00:00Z"}],
    )
    assert found == (20, 5)


def test_a_mass_mailing_is_contact_only_where_customers_are_served_one_to_many():
    mailing = {
        "interaction_id": "1",
        "customer_id": "a",
        "occurred_at": "2024-06-10T10:00:00Z",
        "direction": "outbound",
        "mode": "one_to_many",
    }
    visit = mailing | {"interaction_id": "0", "occurred_at": "2024-04-01T10:00:00Z", "mode": None}
    assert measure("days_since_our_contact", interactions=[mailing, visit]) == (90,)
    small = SUBSCRIPTION | {"mrr": 100}
    found = measure("days_since_our_contact", subscriptions=[small], interactions=[mailing, visit])
    assert found == (20,)


def test_a_silence_never_broken_counts_from_the_first_paid_day_or_the_first_record():
    other = {
        "interaction_id": "1",
        "customer_id": "b",
        "occurred_at": "2024-03-01T10:00:00Z",
        "direction": "outbound",
    }
    assert measure("days_since_our_contact", interactions=[other]) == (121,)
    earlier = other | {"occurred_at": "2023-03-01T10:00:00Z"}
    assert measure("days_since_our_contact", interactions=[earlier]) == (181,)


def test_messages_alone_make_a_silence_known():
    ours = {
        "message_id": "1",
        "customer_id": "b",
        "sent_at": "2024-03-01T10:00:00Z",
        "is_from_customer": False,
    }
    assert measure("days_since_our_contact, days_since_their_contact", messages=[ours]) == (
        121,
        121,
    )


def test_without_any_interaction_contact_is_not_measured():
    assert measure("days_since_our_contact, days_since_their_contact") == (None, None)


def test_what_was_recorded_later_was_not_known_then():
    visit = {
        "interaction_id": "1",
        "customer_id": "a",
        "occurred_at": "2024-06-05T10:00:00Z",
        "_known_at": "2024-06-12T10:00:00Z",
        "direction": "outbound",
    }
    assert measure("days_since_our_contact", day="2024-06-09", interactions=[visit]) == (None,)
    assert measure("days_since_our_contact", day="2024-06-16", interactions=[visit]) == (11,)


def test_a_champion_who_left_counts_until_another_is_there():
    gone = {
        "contact_id": "1",
        "customer_id": "a",
        "is_champion": True,
        "left_on": "2024-05-01",
    }
    assert measure("has_champion_left", contacts=[gone]) == (True,)
    assert measure("has_champion_left", day="2024-04-28", contacts=[gone]) == (False,)
    successor = {"contact_id": "2", "customer_id": "a", "is_champion": True}
    assert measure("has_champion_left", contacts=[gone, successor]) == (False,)
    plain = {"contact_id": "1", "customer_id": "a", "left_on": "2024-05-01"}
    assert measure("has_champion_left, contact_count", contacts=[plain]) == (None, 0)


def test_tickets_are_counted_as_they_stood_on_the_day():
    tickets = [
        {
            "ticket_id": "solved",
            "customer_id": "a",
            "opened_at": "2024-05-01T10:00:00Z",
            "first_response_at": "2024-05-02T10:00:00Z",
            "resolved_at": "2024-06-20T10:00:00Z",
            "satisfaction_score": 4,
        },
        {"ticket_id": "waits", "customer_id": "a", "opened_at": "2024-06-01T10:00:00Z"},
    ]
    columns = """open_ticket_count, unanswered_ticket_count, oldest_unanswered_days,
        ticket_count_90d, ticket_csat_180d"""
    assert measure(columns, tickets=tickets) == (1, 1, 29, 2, 4.0)
    assert measure(columns, day="2024-06-16", tickets=tickets) == (2, 1, 15, 2, None)


def test_tickets_count_on_their_day_and_for_90_days_marks_for_180():
    """Of 30 June: the 90th day before is 1 April, the 180th is 2 January."""

    def ticket(opened: str, resolved: str | None, mark: int | None = None) -> dict[str, Any]:
        solved = {"first_response_at": resolved, "resolved_at": resolved} if resolved else {}
        marked = {"satisfaction_score": mark} if mark else {}
        return {"ticket_id": opened, "customer_id": "a", "opened_at": opened} | solved | marked

    tickets = [
        ticket("2024-06-30T09:00:00Z", "2024-06-30T10:00:00Z", 5),
        ticket("2024-04-02T09:00:00Z", None),
        ticket("2024-04-01T09:00:00Z", "2024-04-05T10:00:00Z"),
        ticket("2024-01-02T09:00:00Z", "2024-01-03T10:00:00Z", 3),
        ticket("2024-01-01T09:00:00Z", "2024-01-02T10:00:00Z", 1),
    ]
    columns = """open_ticket_count, unanswered_ticket_count, oldest_unanswered_days,
        ticket_count_90d, ticket_csat_180d"""
    assert measure(columns, tickets=tickets) == (1, 1, 89, 2, 4.0)


def test_no_tickets_is_no_information_until_tickets_are_connected():
    assert measure("open_ticket_count, ticket_count_90d") == (None, None)
    of_another = {"ticket_id": "t", "customer_id": "b", "opened_at": "2024-06-01T10:00:00Z"}
    assert measure("open_ticket_count, ticket_count_90d", tickets=[of_another]) == (0, 0)


def test_only_fresh_answers_and_views_count():
    surveys = [
        {
            "survey_id": "1",
            "customer_id": "a",
            "kind": "nps",
            "sent_at": "2024-06-01T10:00:00Z",
            "responded_at": "2024-06-10T10:00:00Z",
            "score": 3,
        },
        {
            "survey_id": "2",
            "customer_id": "a",
            "kind": "csat",
            "sent_at": "2023-06-01T10:00:00Z",
            "responded_at": "2023-06-10T10:00:00Z",
            "score": 5,
        },
        {"survey_id": "3", "customer_id": "a", "kind": "nps", "sent_at": "2024-06-20T10:00:00Z"},
    ]
    views = [
        {"customer_id": "a", "assessed_at": "2024-02-01T10:00:00Z", "view": "green"},
    ]
    found = measure(
        "nps_score, csat_score, survey_age_days, csm_view",
        surveys=surveys,
        csm_assessments=views,
    )
    assert found == (3.0, None, 20, None)
    views.append({"customer_id": "a", "assessed_at": "2024-06-01T10:00:00Z", "view": "red"})
    assert measure("csm_view", csm_assessments=views) == ("red",)


def test_answers_count_from_their_day_for_180_days_views_for_90():
    def answer(kind: str, day: str) -> dict[str, Any]:
        at = f"{day}T10:00:00Z"
        told = {"survey_id": f"{kind}-{day}", "customer_id": "a", "kind": kind, "score": 5}
        return told | {"sent_at": at, "responded_at": at}

    def view(day: str) -> dict[str, Any]:
        return {"customer_id": "a", "assessed_at": f"{day}T10:00:00Z", "view": "red"}

    old = [answer("nps", "2024-01-02"), answer("csat", "2024-01-03")]
    columns = "nps_score, csat_score, csm_view"
    found = measure(columns, surveys=old, csm_assessments=[view("2024-04-01")])
    assert found == (None, 5.0, None)
    today = [answer("nps", NIGHT)]
    found = measure(columns, surveys=today, csm_assessments=[view("2024-04-02")])
    assert found == (5.0, None, "red")


def test_renewal_talks_count_within_the_window_of_the_coming_renewal():
    def talk(number: str, day: str) -> dict[str, Any]:
        return {
            "interaction_id": number,
            "customer_id": "a",
            "occurred_at": f"{day}T10:00:00Z",
            "direction": "outbound",
            "kind": "renewal_talk",
        }

    long_ago = [SUBSCRIPTION | {"term_start": "2023-08-01", "term_end": "2024-08-01"}]
    talks = [talk("1", "2023-09-01"), talk("2", "2024-05-01"), talk("3", "2024-06-01")]
    found = measure(
        "renewal_talk_started_date::varchar", subscriptions=long_ago, interactions=talks
    )
    assert found == ("2024-05-01",)
