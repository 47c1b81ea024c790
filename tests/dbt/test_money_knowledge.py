"""What is said of a past day uses only what was known then, and mature outcomes stay."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest

from tests.dbt.contract_histories import History
from tests.warehouse import run_models

MONEY_AT_DATES = "night.intermediate.int_customers_money_at_dates"
LATER = dt.date(2024, 12, 31)


def read(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("day", [dt.date(2023, 7, 2), dt.date(2024, 3, 31)])
def test_a_past_sunday_is_seen_as_on_its_own_night(seed: int, day: dt.date) -> None:
    history = History(seed)
    models = ["int_customers_money_at_dates"]
    that_night = run_models(history.known_by(day), day, models)
    tonight = run_models(history.rows, LATER, models)
    # Whether somebody has renewed is told of tonight only.
    told = f"select * exclude (status) from {MONEY_AT_DATES}"
    query = f"{told} where as_of_date = '{day}' order by customer_id"
    assert read(that_night, query)
    assert read(tonight, query) == read(that_night, query)


@pytest.mark.parametrize("seed", range(4))
def test_a_mature_outcome_never_changes(seed: int) -> None:
    history = History(seed)
    day = dt.date(2024, 3, 31)
    that_night = run_models(history.known_by(day), day, ["renewals", "renewal_cohorts"])
    tonight = run_models(history.rows, LATER, ["renewals", "renewal_cohorts"])
    columns = "term_id, customer_id, due_date, due_arr, outcome, outcome_date, renewed_arr"
    mature = f"select {columns} from night.main.renewals where is_mature order by term_id"
    mature_then = read(that_night, mature)
    assert mature_then
    assert set(mature_then) <= set(read(tonight, mature))
    cells = (
        "select * from night.main.renewal_cohorts where is_mature "
        "order by due_month, measure, term_class, segment"
    )
    cells_tonight = set(read(tonight, cells))
    # A cell is whole once no term of its month can be added: three months on, all are known.
    settled = [cell for cell in read(that_night, cells) if str(cell[0]) < "2023-12-01"]
    assert settled
    assert set(settled) <= cells_tonight


@pytest.mark.parametrize("seed", range(4))
def test_status_tonight_is_the_last_status_period(seed: int) -> None:
    tonight = run_models(
        History(seed).rows, LATER, ["int_customers_money_at_dates", "int_customers_status_periods"]
    )
    differing = read(
        tonight,
        f"""
        select customer_id, at_dates.status, periods.status
        from {MONEY_AT_DATES} as at_dates
        inner join night.intermediate.int_customers_status_periods as periods using (customer_id)
        where at_dates.as_of_date = '{LATER}' and periods.valid_to is null
            and at_dates.status != periods.status
        """,
    )
    assert differing == []


@pytest.mark.parametrize("seed", range(4))
def test_mrr_tonight_is_the_mrr_of_the_month_that_ends(seed: int) -> None:
    tonight = run_models(
        History(seed).rows, LATER, ["int_customers_money_at_dates", "customer_mrr_monthly"]
    )
    differing = read(
        tonight,
        f"""
        select customer_id, at_dates.mrr, monthly.mrr
        from (select * from {MONEY_AT_DATES} where as_of_date = '{LATER}') as at_dates
        full join (
            select * from night.main.customer_mrr_monthly where month_start = '2024-12-01'
        ) as monthly using (customer_id)
        where coalesce(at_dates.mrr, 0) != coalesce(monthly.mrr, 0)
        """,
    )
    assert differing == []
