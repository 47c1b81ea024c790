"""Times of onboarding and support against computations that count each day and minute."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.settings import Definitions, dbt_vars
from tests.warehouse import run_model

ZONE = ZoneInfo("Europe/Berlin")
# The vars of the scenario tickets_in_working_hours: compiled once for both.
WORKING_HOURS = {
    key: value
    for key, value in dbt_vars(
        Definitions.model_validate(
            {
                "company": {"zone": ZONE.key},
                "service": {"is_support_in_working_hours": True},
            }
        )
    ).items()
    if value != dbt_vars(Definitions())[key]
}


def waiting_days(followed: list[tuple[int, bool]], share: float) -> int | None:
    """First day on which the share still waiting, by Kaplan and Meier, is down to `share`."""
    waiting = 1.0
    for day in sorted({days for days, _ in followed}):
        at_risk = sum(days >= day for days, _ in followed)
        reached = sum(days == day and not is_censored for days, is_censored in followed)
        waiting *= 1 - reached / at_risk
        if waiting <= share + 1e-9:
            return day
    return None


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=25))
def test_the_time_to_first_value_is_that_of_kaplan_and_meier(followed: list[tuple[int, bool]]):
    rows = ", ".join(f"({days}::bigint, {is_censored})" for days, is_censored in followed)
    found = run_model(
        "onboarding_step_times",
        {
            "onboarding_progress": """select 'a' as customer_id, 'x' as step, 1 as duration_days,
                current_date as due_on, true as is_on_time where false""",
            "activations": f"""select 'mid' as segment, date '2024-01-01' as clock_date, *
                from (values {rows}) as followed (followed_days, is_censored)""",
            "int_customers_described": """select 'a' as customer_id, 'mid' as segment,
                null::timestamptz as known_to where false""",
            "stg_ingest__night": "select date '2024-06-30' as as_of_date",
        },
    )
    assert {row["segment"] for row in found} == {"all", "mid"}
    for row in found:
        assert row["n"] == len(followed)
        assert row["p50_days"] == waiting_days(followed, 0.5)
        assert row["p90_days"] == waiting_days(followed, 0.1)


def test_a_week_in_which_the_feed_began_is_not_measured():
    """The clock starts on Monday, 1 January, the feed two days later; used in the second week."""
    used = run_model(
        "first_90_days",
        {
            "int_onboarding_clocks": """select 'a' as customer_id, 1 as round_no,
                date '2024-01-01' as clock_date""",
            "customer_usage_daily": """select 'a' as customer_id,
                unnest(generate_series(date '2024-01-07', date '2024-02-11', interval 7 day))::date
                    as activity_date,
                case when activity_date = '2024-01-14' then 1 else 0 end
                    as active_user_count_7d""",
            "int_use_measures": "select date '2024-01-03' as measured_from",
            "int_customer_outage_days": """select 'a' as customer_id, 'tonight' as judged_by,
                current_date as outage_date where false""",
            "renewals": """select 'a' as customer_id, '' as successor_term_id,
                current_date as due_date where false""",
            "stg_ingest__night": "select date '2024-02-11' as as_of_date",
        },
    )
    found = sorted(
        (row["week_number"], row["active_user_count"], row["is_abandoned"]) for row in used
    )
    # Whether it was abandoned by the fourth week depends on the first.
    assert found == [
        (1, None, False),
        (2, 1, False),
        (3, 0, False),
        (4, 0, None),
        (5, 0, False),
        (6, 0, True),
    ]


MINUTES = st.integers(0, 60 * 24 * 24)  # 24 days across the change to summer time
START = dt.datetime(2024, 3, 20, tzinfo=dt.UTC)
HOLIDAY = dt.date(2024, 3, 29)


def worked_minutes(begin: dt.datetime, end: dt.datetime) -> int:
    """Minutes between 9 and 17 o'clock on working days of the zone."""
    count = 0
    while begin < end:
        local = begin.astimezone(ZONE)
        is_day = local.weekday() < 5 and local.date() != HOLIDAY
        count += is_day and 9 <= local.hour < 17
        begin += dt.timedelta(minutes=1)
    return count


@settings(max_examples=25)
@given(MINUTES, MINUTES)
def test_working_hours_are_those_the_clock_of_the_zone_counts(one: int, other: int):
    opened, answered = sorted(START + dt.timedelta(minutes=it) for it in (one, other))
    found = run_model(
        "support_monthly",
        {
            "stg_crm__tickets": f"""select 'a' as customer_id, 'issue' as kind,
                timestamptz '{opened}' as opened_at, timestamptz '{answered}' as first_response_at,
                null::timestamptz as resolved_at, null::timestamptz as vanished_at,
                0 as reopened_count, null::decimal(20, 6) as satisfaction_score,
                null as responder_id, null::timestamptz as known_to""",
            "stg_crm__messages": """select 'a' as customer_id, 'm' as message_id,
                now() as sent_at, true as is_from_customer, 'e' as employee_id,
                null::timestamptz as known_to where false""",
            "int_customers_resolved": "select 'a' as customer_id, 'a' as resolved_customer_id",
            "stg_ingest__night": "select timestamptz '2024-12-31T00:00:00Z' as as_of_end",
            "calendar": f"""select day::date as calendar_date,
                isodow(day) < 6 and day::date != date '{HOLIDAY}' as is_working_day
                from generate_series(date '2024-03-01', date '2024-05-01', interval 1 day)
                as days (day)""",
        },
        WORKING_HOURS,
    )
    assert len(found) == 1
    assert round(found[0]["first_response_hours_p50"] * 60) == worked_minutes(opened, answered)
