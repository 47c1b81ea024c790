"""A customer is onboarding until its steps are done and value is seen, at most as long as said."""

from __future__ import annotations

import datetime as dt

from tests.warehouse import relation, run_model

AS_OF = dt.date(2023, 12, 31)
# Round, its start, steps done of three, the day of the last step, the day value was reached.
Round = tuple[int, str, int, str, str | None]
FIRST: Round = (1, "2023-01-01", 3, "2023-01-20", "2023-02-05")


def stages(rounds: list[Round], renewal_due: str | None = None) -> list[tuple[str, str, str]]:
    """Stage, from, to of a customer that has paid since 1 January."""
    dates = dict.fromkeys(("valid_from", "valid_to"), "DATE")
    customer = {"customer_id": "c"}
    found = run_model(
        "int_customers_journey_periods",
        {
            "stg_ingest__night": f"select date '{AS_OF}' as as_of_date",
            "int_customers_status_periods": relation(
                {"customer_id": "VARCHAR", "status": "VARCHAR"} | dates,
                [customer | {"status": "formal", "valid_from": "2023-01-01"}],
            ),
            "int_onboarding_rounds_at_dates": relation(
                {
                    "customer_id": "VARCHAR",
                    **dict.fromkeys(("round_no", "step_count", "done_count"), "BIGINT"),
                    **dict.fromkeys(("as_of_date", "known_on"), "DATE"),
                    **dict.fromkeys(("round_start_date", "clock_date"), "DATE"),
                },
                [
                    customer
                    | {
                        "round_no": round_no,
                        "step_count": 3,
                        "done_count": done,
                        "as_of_date": AS_OF,
                        "known_on": AS_OF,
                        "round_start_date": start,
                        "clock_date": start,
                    }
                    for round_no, start, done, _, _ in rounds
                ],
            ),
            "stg_crm__onboarding_steps": relation(
                {
                    "customer_id": "VARCHAR",
                    "round_no": "BIGINT",
                    **dict.fromkeys(("done_at", "accepted_at", "known_to"), "TIMESTAMPTZ"),
                },
                [
                    customer | {"round_no": round_no, "done_at": f"{done_on}T12:00:00Z"}
                    for round_no, _, _, done_on, _ in rounds
                ],
            ),
            "int_customers_resolved": "select 'c' as customer_id, 'c' as resolved_customer_id",
            "int_value_weeks_reached": relation(
                {"customer_id": "VARCHAR", "week_start": "DATE", "reached_on": "DATE"},
                [
                    customer | {"week_start": monday(reached_on), "reached_on": reached_on}
                    for *_, reached_on in rounds
                    if reached_on
                ],
            ),
            "int_use_measures": "select true as has_value, date '2020-01-01' as measured_from",
            "int_customers_paid_runs": relation(
                {"customer_id": "VARCHAR", "measure": "VARCHAR", "run_start": "DATE"}, []
            ),
            "renewals": relation(
                {
                    **dict.fromkeys(("customer_id", "term_class", "outcome"), "VARCHAR"),
                    **dict.fromkeys(("due_date", "outcome_date", "talk_started_date"), "DATE"),
                },
                [customer | {"term_class": "longer", "outcome": "open", "due_date": renewal_due}]
                if renewal_due
                else [],
            ),
        },
    )
    return sorted(
        (str(row["valid_from"]), str(row["valid_to"]), row["journey_stage"]) for row in found
    )


def monday(day: str) -> dt.date:
    date = dt.date.fromisoformat(day)
    return date - dt.timedelta(days=date.weekday())


def test_a_round_ends_when_its_steps_are_done_and_value_is_seen():
    ended = [("2023-01-01", "2023-02-05", "onboarding"), ("2023-02-05", "None", "in_use")]
    assert stages([FIRST]) == ended


def test_a_round_without_its_last_step_or_without_value_ends_when_it_is_judged():
    judged = [("2023-01-01", "2023-04-01", "onboarding"), ("2023-04-01", "None", "in_use")]
    assert stages([(1, "2023-01-01", 2, "2023-01-20", "2023-02-05")]) == judged
    assert stages([(1, "2023-01-01", 3, "2023-01-20", None)]) == judged


def test_each_round_ends_by_its_own_steps_and_its_own_value():
    assert stages([FIRST, (2, "2023-06-01", 3, "2023-06-10", "2023-06-20")]) == [
        ("2023-01-01", "2023-02-05", "onboarding"),
        ("2023-02-05", "2023-06-01", "in_use"),
        ("2023-06-01", "2023-06-20", "onboarding"),
        ("2023-06-20", "None", "in_use"),
    ]


def test_a_stage_that_begins_after_tonight_is_not_told():
    assert stages([FIRST], renewal_due="2024-06-30") == stages([FIRST])
    assert stages([FIRST], renewal_due="2024-01-31")[-1] == ("2023-11-02", "None", "renewing")
