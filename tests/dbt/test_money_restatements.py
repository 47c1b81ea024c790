"""What was said at the close of a month, or forecast on its first day, is said again any night."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest

from dagster_project.settings import Definitions
from tests.dbt.contract_histories import WITH_FRANCS, History
from tests.warehouse import run_models

LATER = dt.date(2024, 12, 31)
CLOSES = [dt.date(2023, 6, 5), dt.date(2024, 3, 5)]
MODELS = ["restatements", "mrr_bridge_monthly", "retention_monthly", "renewal_cohorts"]
FORECAST = """
    select due_month, segment, term_count, due_arr, cohort_count, rate, expected_arr,
        round(low, 6), round(high, 6)
    from night.main.renewal_forecast where made_on = '{day}' order by due_month, segment
"""


def measures_of(connection: duckdb.DuckDBPyConnection, month: dt.date) -> dict[str, float]:
    """What the marts of this night say of a month, by the names of `restatements`."""
    return dict(
        connection.execute(
            f"""
            select name, amount::double from (
                unpivot (
                    select * exclude (month_start) from night.main.mrr_bridge_monthly
                    where month_start = '{month}'
                ) on * into name name value amount
            )
            union all
            select unnest(['grr_12m', 'nrr_12m']), unnest([grr, nrr])::double
            from night.main.retention_monthly
            where level = 'account' and segment_by = 'all' and window_months = 12
                and date_trunc('month', window_end) = '{month}'
            """
        ).fetchall()
    )


def restated_of(connection: duckdb.DuckDBPyConnection, month: dt.date) -> dict[str, float]:
    query = f"""
        select measure, as_closed::double from night.main.restatements
        where month_start = '{month}' and measure not in ('due_arr', 'renewed_arr')
    """
    return dict(connection.execute(query).fetchall())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("close", CLOSES)
def test_as_closed_is_what_the_night_of_the_close_said(seed: int, close: dt.date) -> None:
    history = History(seed, customers=25, currencies=WITH_FRANCS)
    month = (close.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    that_night = measures_of(run_models(history.known_by(close), close, MODELS), month)
    tonight = run_models(history.rows, LATER, MODELS)
    again = measures_of(tonight, month) | restated_of(tonight, month)
    assert that_night["closing_mrr"] > 0
    for measure, said in that_night.items():
        assert again.get(measure, 0) == pytest.approx(said or 0, abs=0.011), measure


def test_late_news_are_restated_with_the_row_that_brought_them() -> None:
    restated = (
        run_models(History(1, customers=25).rows, LATER, MODELS)
        .execute("select month_start, measure, delta, cause_key from night.main.restatements")
        .fetchall()
    )
    assert restated
    assert [row for row in restated if row[2] == 0 or row[3] is None] == []


def test_where_nothing_was_learnt_late_nothing_is_restated() -> None:
    """One line may follow both terms; it serves `pro`, which is final a month earlier."""
    terms = [
        ("basic", "2022-03-31", "2023-03-31", 100),
        ("pro", "2022-10-01", "2023-04-01", 50),
        ("basic", "2023-04-01", "2024-04-01", 50),
    ]
    rows = {
        "products": [
            {"product_id": name, "name": name, "kind": "version"} for name in ("basic", "pro")
        ],
        "subscriptions": [
            {"subscription_id": f"s{number}", "customer_id": "a", "product_id": product}
            | {"term_start": start, "term_end": end, "mrr": mrr, "_known_at": f"{start}T09:00:00Z"}
            for number, (product, start, end, mrr) in enumerate(terms)
        ],
    }
    connection = run_models(rows, "2023-12-31", ["restatements", "renewals"])
    outcomes = "select line_id, outcome from night.main.renewals where is_mature order by 1"
    assert connection.execute(outcomes).fetchall() == [
        ("subscription-s0", "churned"),
        ("subscription-s1", "renewed_on_time"),
    ]
    assert connection.execute("from night.main.restatements").fetchall() == []


@pytest.mark.parametrize("seed", range(3))
def test_a_forecast_is_told_again_as_on_its_day(seed: int) -> None:
    # Ninety days before a Sunday: this day is looked at from that Sunday, too.
    history, day = History(seed, customers=25), dt.date(2024, 4, 1)
    query = FORECAST.format(day=day)
    that_day = run_models(history.known_by(day), day, ["renewal_forecast"]).execute(query)
    told = that_day.fetchall()
    tonight = run_models(history.rows, LATER, ["renewal_forecast"])
    assert any(row[6] is not None for row in told)
    assert tonight.execute(query).fetchall() == told


def test_a_forecast_is_what_is_due_times_the_rate_of_mature_months() -> None:
    """Kept before: 1,200 of 2,400 due. Due: 1,200 (lost) and 2,400 (three quarters kept).

    A trial is not due, nor what was cancelled and waits for its successor.
    """
    soon = {"booked_at": "2023-07-20T09:00:00Z", "_known_at": "2023-07-20T09:00:00Z"}
    cancelled = {"cancelled_at": "2023-07-30T09:00:00Z"}
    terms: list[tuple[str, str, str, int, dict[str, object]]] = [
        ("a", "2022-01-15", "2023-01-15", 100, {}),
        ("a", "2023-01-15", "2024-01-15", 100, {}),
        ("b", "2022-02-15", "2023-02-15", 100, {}),
        ("c", "2023-01-10", "2024-01-10", 200, {}),
        ("c", "2024-01-10", "2025-01-10", 150, {}),
        ("d", "2023-07-20", "2024-01-20", 100, {"is_trial": True}),
        ("e", "2023-01-25", "2024-01-25", 100, cancelled),
        ("e", "2023-08-03", "2024-02-03", 100, soon),
    ]
    rows = [
        {"subscription_id": f"s{number}", "customer_id": customer_id, "product_id": "pro"}
        | {"term_start": start, "term_end": end, "mrr": mrr}
        | more
        for number, (customer_id, start, end, mrr, more) in enumerate(terms)
    ]

    def forecast(night: str, made_on: str, cohorts: int = 12) -> list[tuple[object, ...]]:
        definitions = Definitions.model_validate({"money": {"forecast_cohorts": cohorts}})
        connection = run_models(
            {"subscriptions": rows}, night, ["renewal_forecast"], definitions=definitions
        )
        return connection.execute(
            f"""
            select term_count, due_arr, cohort_count, expected_arr, low, high, actual_arr
            from night.main.renewal_forecast
            where made_on = '{made_on}' and due_month = '2024-01-01' and segment = 'all'
            """
        ).fetchall()

    assert forecast("2024-04-30", "2023-08-01") == [(2, 3600, 2, 1800, 0, 3600, 1800)]
    assert forecast("2024-04-29", "2023-08-01") == [(2, 3600, 2, 1800, 0, 3600, None)]
    # Of the last cohort nothing was kept.
    assert forecast("2024-04-30", "2023-08-01", cohorts=1)[0][2:4] == (1, 0)
    # January is mature on the first of May, February is not.
    assert forecast("2024-04-30", "2023-05-01")[0][:4] == (3, 4800, 1, 4800)


def test_a_forecast_lies_within_its_bounds_and_what_is_due() -> None:
    outside = (
        run_models(History(2, customers=25).rows, LATER, ["renewal_forecast"])
        .execute(
            """
            select * from night.main.renewal_forecast
            where not (0 <= low and low <= expected_arr and expected_arr <= high + 0.000001
                and high <= due_arr) or actual_arr > due_arr + 0.01
            """
        )
        .fetchall()
    )
    assert outside == []
