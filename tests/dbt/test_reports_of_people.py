"""Tables people work with: books, the weekly review, complete records, the time line, the fit."""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.settings import Definitions, IcpCriterion
from tests.warehouse import Rows, run_models

NIGHT = "2024-06-30"  # a Sunday
SUBSCRIPTIONS = [
    {"subscription_id": "s-a", "customer_id": "a", "mrr": 2000},  # growth: 2 hours a month
    {"subscription_id": "s-b", "customer_id": "b", "mrr": 5000},  # enterprise: 6 hours a month
    {"subscription_id": "s-c", "customer_id": "c", "mrr": 100},  # scale: 0.25 hours a month
]
TERM = {"term_start": "2024-01-01", "term_end": "2025-01-01"}
CUSTOMERS = [
    {"customer_id": "a", "name": "Ada", "segment": "mid", "industry": "retail"},
    {"customer_id": "b", "name": " ", "segment": "large", "employee_count": 900},
    {"customer_id": "c", "name": "Cid", "industry": "press", "employee_count": 10},
]
EMPLOYEES = [
    {"employee_id": "e1", "name": "Eve", "role": "csm", "weekly_hours": 20},
    {"employee_id": "e2", "name": "Finn", "role": "csm", "left_on": "2024-06-01"},
    {"employee_id": "e3", "name": "Gil", "role": "csm", "weekly_hours": 10},
]
OWNERSHIPS = [
    {"customer_id": "a", "role": "csm", "valid_from": "2024-01-01", "employee_id": "e1"},
    {"customer_id": "b", "role": "csm", "valid_from": "2024-01-01", "employee_id": "e2"},
]
SCORES = {
    "churn_probabilities": """select 'a' as customer_id, 0.25 as probability,
        unnest([true, false]) as is_for_warnings""",
    "health_scores": """select null as health_score, null as coverage, null as score_low,
        null as score_high, null as trend_7d, null as trend_28d, null as trend_90d,
        null as rules_version, null as reason, '-4.0 points' as trend_sentence,
        'a' as customer_id,
        '2024-06-30' as as_of_date, 'red' as health_band""",
    "churn_warnings": """select null as csm_id, null as opened_on, null as closed_on,
        null as close_reason, null as reason_code, null as drivers, null as held_by,
        null as due_arr, null as churn_probability, null as expected_saved_arr, null as is_assumed,
        null as is_within_budget, null as is_urgent, null as recall_share,
        'a' as customer_id, 'risk' as kind, unnest(
            [
                {'warning_id': 'w1', 'status': 'ongoing', 'playbook': 'reconnect',
                 'due_date': '2024-07-04', 'rank': 2},
                {'warning_id': 'w2', 'status': 'opened', 'playbook': 'launch',
                 'due_date': '2024-07-02', 'rank': 1},
                {'warning_id': 'w3', 'status': 'closed', 'playbook': 'rescue',
                 'due_date': '2024-07-01', 'rank': 0}
            ], recursive := true
        )""",
}


def build(
    *models: str, definitions: Definitions | None = None, **raw: Rows
) -> duckdb.DuckDBPyConnection:
    everything: dict[str, Rows] = {
        "subscriptions": [TERM | row for row in SUBSCRIPTIONS],
        "customers": [{"created_at": "2023-12-01T00:00:00Z"} | row for row in CUSTOMERS],
        "employees": [{"started_on": "2020-01-01"} | row for row in EMPLOYEES],
        "ownerships": OWNERSHIPS,
    }
    return run_models(everything | raw, NIGHT, models, definitions=definitions, scores=SCORES)


def read(connection: duckdb.DuckDBPyConnection, select: str) -> list[tuple[Any, ...]]:
    connection.execute("use night.main")
    return connection.execute(select).fetchall()


def test_a_book_stays_with_who_left_until_somebody_takes_it_over():
    books = read(
        build("csm_books"),
        """select csm_id, segment, customer_count, arr::int, at_risk_arr::int,
        orphaned_customer_count, coverage_count from csm_books order by 1, 2""",
    )
    assert books == [
        ("e1", "all", 1, 24000, 24000, 0, 0),
        ("e1", "mid", 1, 24000, 24000, 0, 0),
        ("e2", "all", 1, 60000, None, 1, 0),
        ("e2", "large", 1, 60000, None, 1, 0),
        ("e3", "all", 0, 0, None, None, 0),
        ("unassigned", "all", 1, 1200, None, 1, 0),
    ]


def test_the_load_of_a_book_adds_warnings_to_the_hours_of_tiers():
    books = {
        csm_id: rest
        for csm_id, *rest in read(
            build("csm_books"),
            """select csm_id, round(load_ratio, 6), warning_budget from csm_books
            where segment = 'all'""",
        )
    }
    # 2 hours a month are 24 / 52 a week; two open warnings take 2 hours each.
    assert books["e1"] == [round((24 / 52 + 4) / 20, 6), 9]
    assert books["e2"] == [None, None]
    assert books["e3"] == [0, 5]


def test_the_load_of_a_book_holds_the_calls_of_who_is_in_the_grace_of_a_renewal():
    ended = {"subscription_id": "s-a", "customer_id": "a", "mrr": 2000, "term_end": "2024-06-20"}
    connection = build("csm_books", subscriptions=[TERM | ended])
    found = read(
        connection,
        """select csm_id, segment, customer_count, load_ratio from csm_books
        where csm_id = 'e1' order by 2""",
    )
    # No customer that pays, and two open warnings of 2 hours each in a week of 20.
    assert found == [("e1", "all", 0, 0.2), ("e1", "mid", 0, 0.2)]


def test_a_book_looks_90_days_ahead_to_renewals_and_back_to_playbooks():
    """Of 30 June: to 28 September and to 1 April. Who has left or starts today is told apart."""
    terms = [("b", "2024-06-30", 1000), ("a", "2024-09-28", 10), ("a", "2024-09-29", 100)]
    runs = [("2024-03-31", None), ("2024-04-01", None), ("2024-06-29", "2024-06-29"), (NIGHT, None)]
    connection = build(
        "csm_books",
        subscriptions=[
            {"subscription_id": end, "customer_id": customer, "mrr": mrr}
            | {"term_start": "2024-01-01", "term_end": end}
            for customer, end, mrr in terms
        ],
        ownerships=[
            OWNERSHIPS[0] | {"customer_id": customer, "employee_id": "e1"} for customer in "ab"
        ],
        employees=[
            {"employee_id": "e1", "name": "Eve", "role": "csm", "started_on": "2020-01-01"},
            {"employee_id": "e4", "name": "Hal", "role": "csm", "left_on": NIGHT},
            {"employee_id": "e5", "name": "Ida", "role": "csm", "started_on": NIGHT},
        ],
        playbook_runs=[
            {"playbook_run_id": due, "customer_id": "a", "playbook": "reconnect", "due_on": due}
            | {"_known_at": "2024-03-01T09:00:00Z"}
            | ({"started_at": f"{done}T09:00:00Z", "done_at": f"{done}T09:00:00Z"} if done else {})
            for due, done in runs
        ],
    )
    books = read(
        connection,
        """select csm_id, customer_count, due_arr_90d::int, due_run_count, on_time_ratio
        from csm_books order by 1, segment""",
    )
    # The term of `b` ended today: it has no MRR, and nothing of it is due in the days to come.
    assert set(books) == {("e1", 1, 120, 2, 0.5), ("e5", 0, 0, 0, None)}


def test_a_contact_counts_on_its_day():
    talk = {"interaction_id": "i", "customer_id": "a", "mode": "proactive", "summary": "well"}
    found = read(
        build("contact_coverage", interactions=[talk | {"occurred_at": f"{NIGHT}T09:00:00Z"}]),
        """select days_since_our_contact, has_note_30d, proactive_count_90d,
            days_to_first_contact_of_owner
        from contact_coverage where customer_id = 'a'""",
    )
    assert found == [(0, True, 1, 181)]


def test_a_skipped_warning_stays_open_and_says_who_skipped_it_when_and_why():
    run = {"customer_id": "a", "playbook": "reconnect", "warning_id": "w1", "owner_id": "e1"}
    connection = build(
        "churn_warnings",
        playbook_runs=[
            run
            | {"playbook_run_id": "w1", "skipped_reason": "on holiday", "outcome": "skipped"}
            | {"_known_at": "2024-06-12T09:00:00Z"},
            run
            | {"playbook_run_id": "w2", "warning_id": "w2", "outcome": "called"}
            | {"_known_at": "2024-06-12T09:00:00Z"},
        ],
    )
    found = read(
        connection,
        """select warning_id, status, skipped_on::varchar, skipped_by, skipped_reason
        from churn_warnings order by 1""",
    )
    assert found == [
        ("w1", "ongoing", "2024-06-12", "e1", "on holiday"),
        ("w2", "opened", None, None, None),
        ("w3", "closed", None, None, None),
    ]


def test_the_weekly_review_tells_the_last_whole_weeks():
    interaction = {"customer_id": "a", "direction": "outbound", "mode": "proactive"}
    connection = build(
        "weekly_review",
        interactions=[
            interaction | {"interaction_id": "i1", "occurred_at": "2024-06-25T09:00:00Z"},
            interaction
            | {"interaction_id": "i2", "occurred_at": "2024-06-26T09:00:00Z", "summary": "later"},
            interaction
            | {"interaction_id": "i3", "occurred_at": "2024-06-24T09:00:00Z", "summary": "first"},
            interaction
            | {"interaction_id": "i4", "occurred_at": "2024-06-27T09:00:00Z"}
            | {"mode": "one_to_many"},
        ],
    )
    found = read(
        connection,
        """select week_start::varchar, csm_id, contact_count, notes, ticket_count, next_action,
            score_change_sentence
        from weekly_review where customer_id = 'a' order by week_start desc""",
    )
    assert len(found) == 13
    plan = ("launch by 2024-07-02", "-4.0 points")
    assert found[0] == ("2024-06-24", "e1", 3, "first | later", None, *plan)
    assert found[1] == ("2024-06-17", "e1", 0, None, None, None, None)


def test_a_record_is_asked_for_what_its_stage_and_those_before_require():
    connection = build("record_completeness")
    found = read(
        connection,
        """select journey_stage, required_count, round(completeness_ratio, 6), missing_fields
        from record_completeness where customer_id = 'b' order by 1""",
    )
    # Contacts are not connected: nobody is asked for the first person to call.
    assert found == [
        ("in_use", 2, 0, "csm_id, goal_status"),
        ("onboarding", 2, 0, "csm_id, goal_status"),
        ("select", 5, 0.2, "country, customer_name, industry, sales_id"),
        ("signed", 3, 0.333333, "csm_id, current_version"),
        ("trial", 1, 0, "fit_pct"),
    ]


def test_the_fit_is_the_share_of_criteria_met_among_those_known():
    definitions = Definitions(
        icp=[
            IcpCriterion(column="industry", values=["retail", "trade"]),
            IcpCriterion(column="employee_count", at_least=100, at_most=1000),
        ]
    )
    connection = build("customer_360", definitions=definitions)
    found = read(connection, "select customer_id, icp_fit from customer_360 order by 1")
    assert found == [("a", 1), ("b", 1), ("c", 0)]
    found = read(build("customer_360"), "select distinct icp_fit from customer_360")
    assert found == [(None,)]


def test_the_time_line_holds_what_happened_up_to_the_night_after_merges():
    connection = build(
        "customer_timeline",
        customers=[
            {"customer_id": "a", "created_at": "2023-12-01T00:00:00Z"},
            {
                "customer_id": "z",
                "created_at": "2023-12-01T00:00:00Z",
                "merged_into_customer_id": "a",
            },
        ],
        tickets=[
            {
                "ticket_id": "t1",
                "customer_id": "z",
                "opened_at": "2024-05-01T09:00:00Z",
                "resolved_at": "2024-07-01T09:00:00Z",
                "kind": "issue",
            }
        ],
        leads=[
            {
                "lead_id": "l1",
                "created_at": "2023-11-01T09:00:00Z",
                "converted_customer_id": "z",
                "source": "web",
            },
            {"lead_id": "l2", "created_at": "2023-11-01T09:00:00Z"},
        ],
    )
    found = read(
        connection,
        """select customer_id, occurred_at::date::varchar, kind, source_key, actor_id, channel,
        summary from customer_timeline
        where source_entity in ('tickets', 'leads', 'ownerships') and customer_id = 'a'
        order by occurred_at""",
    )
    assert found == [
        ("a", "2023-11-01", "lead_created", "l1", None, "web", None),
        ("a", "2024-01-01", "csm_changed", "a/csm/2024-01-01", "e1", None, None),
        ("a", "2024-05-01", "ticket_opened", "t1", None, None, "issue"),
    ]


def test_the_time_line_writes_amounts_and_answers_as_people_do():
    connection = build(
        "customer_timeline",
        orders=[
            {"order_id": "o1", "customer_id": "a", "kind": "formal", "currency": "EUR",
             "ordered_at": "2024-01-01T09:00:00Z"}
        ],
        payments=[
            {"payment_id": "p1", "order_id": "o1", "amount": "9921.6", "currency": "EUR",
             "paid_at": "2024-02-01T09:00:00Z"}
        ],
        wallet_entries=[
            {"entry_id": "w1", "customer_id": "a", "amount": "-46.76",
             "occurred_at": "2024-03-01T09:00:00Z"}
        ],
        surveys=[
            {"survey_id": "s1", "customer_id": "a", "kind": "nps", "score": 9,
             "responded_at": "2024-04-01T09:00:00Z"},
            {"survey_id": "s2", "customer_id": "a", "kind": "csat", "score": 4.5,
             "responded_at": "2024-05-01T09:00:00Z"},
        ],
    )  # fmt: skip
    found = read(
        connection,
        """select summary from customer_timeline
        where source_entity in ('payments', 'wallet_entries', 'surveys') order by occurred_at""",
    )
    assert [summary for (summary,) in found] == ["9921.60 EUR", "-46.76", "nps 9", "csat 4.5"]


def test_every_scored_customer_has_the_probability_that_warnings_use():
    found = read(
        build("customer_360"), "select customer_id, churn_probability from customer_360 order by 1"
    )
    assert found == [("a", 0.25), ("b", None), ("c", None)]


def test_who_pays_without_a_rate_has_an_unknown_mrr_and_a_prospect_none():
    terms = {"term_start": "2024-01-01", "term_end": "2025-01-01"}
    francs, euros, _ = SUBSCRIPTIONS
    subscriptions = [terms | francs | {"currency": "CHF"}, terms | euros]
    found = read(
        build("customer_360", subscriptions=subscriptions),
        "select customer_id, status, mrr::int, arr::int, due_arr::int from customer_360 order by 1",
    )
    assert found == [
        ("a", "formal", None, None, None),
        ("b", "formal", 5000, 60000, 60000),
        ("c", "prospect", 0, 0, None),
    ]


def test_what_is_signed_without_a_rate_is_an_unknown_arr_and_nothing_signed_is_none():
    booked = {"booked_at": "2024-06-01T09:00:00Z", "_known_at": "2024-06-01T09:00:00Z"}
    terms = booked | {"term_start": "2024-09-01", "term_end": "2025-09-01"}
    francs, euros, small = SUBSCRIPTIONS
    subscriptions = [
        terms | francs | {"currency": "CHF"},
        terms | euros,
        # Beside what has a rate, what has none is left out; a sum for ever has no ARR.
        terms | euros | {"subscription_id": "s-b2", "currency": "CHF"},
        terms | small | {"mrr": None, "amount": 100, "term_end": None},
        terms | small | {"subscription_id": "s-d", "customer_id": "d", "term_start": "2024-01-01"},
    ]
    found = read(
        build("customer_360", subscriptions=subscriptions),
        "select customer_id, contracted_arr::int from customer_360 order by 1",
    )
    assert found == [("a", None), ("b", 60000), ("c", 0), ("d", 0)]
