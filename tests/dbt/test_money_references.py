"""The money marts against figures of other software and against plain SQL over the raw files.

The data are not part of this project: each test is skipped where its folder is not named.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.settings import Definitions, Money
from tests.warehouse import run_models


def folder(variable: str) -> Path:
    if not os.environ.get(variable):
        pytest.skip(f"{variable} does not name the folder with the data")
    return Path(os.environ[variable])


def read_rows(query: str) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def differences(
    connection: duckdb.DuckDBPyConnection, ours: str, theirs: str
) -> Sequence[tuple[Any, ...]]:
    query = f"({ours} except all {theirs}) union all ({theirs} except all {ours})"
    return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def playbook() -> tuple[duckdb.DuckDBPyConnection, Path]:
    data = folder("MRR_PLAYBOOK_DATA")
    subscriptions = read_rows(
        f"""
        select subscription_id::varchar as subscription_id, customer_id::varchar as customer_id,
            start_date as term_start, end_date as term_end, monthly_amount as mrr
        from read_csv('{data}/subscription_periods.csv')
        """
    )
    without_grace = Definitions(
        money=Money(grace_days_monthly=0, grace_days_half_year=0, grace_days_longer=0)
    )
    models = ["mrr_movements", "mrr_bridge_monthly", "customer_mrr_monthly"]
    connection = run_models(
        {"subscriptions": subscriptions}, "2020-02-29", models, definitions=without_grace
    )
    return connection, data


def test_customers_have_the_mrr_of_the_playbook(
    playbook: tuple[duckdb.DuckDBPyConnection, Path],
) -> None:
    connection, data = playbook
    ours = """
        select customer_id, month_start, mrr::decimal(12, 2) as mrr
        from night.main.customer_mrr_monthly where mrr != 0
    """
    theirs = f"""
        select customer_id::varchar, date_month, mrr::decimal(12, 2)
        from read_csv('{data}/mrr_full_spine.csv') where mrr != 0
    """
    assert connection.execute(f"select count(*) from ({ours})").fetchall() != [(0,)]
    assert differences(connection, ours, theirs) == []


def test_movements_are_those_of_the_playbook(
    playbook: tuple[duckdb.DuckDBPyConnection, Path],
) -> None:
    connection, data = playbook
    ours = """
        select customer_id, month_start,
            case kind when 'expansion' then 'upgrade' when 'contraction' then 'downgrade'
                else kind end as kind,
            sum(amount)::decimal(12, 2) as amount
        from night.main.mrr_movements group by all
    """
    theirs = f"""
        select customer_id::varchar, date_month, change_category, mrr_change::decimal(12, 2)
        from read_csv('{data}/mrr_full_spine.csv')
        where change_category is not null and mrr_change != 0
    """
    assert differences(connection, ours, theirs) == []


def test_the_bridge_is_that_of_the_playbook(
    playbook: tuple[duckdb.DuckDBPyConnection, Path],
) -> None:
    connection, data = playbook
    ours = """
        select month_start, opening_mrr::decimal(12, 2), new::decimal(12, 2),
            reactivation::decimal(12, 2), expansion::decimal(12, 2), contraction::decimal(12, 2),
            churn::decimal(12, 2), closing_mrr::decimal(12, 2)
        from night.main.mrr_bridge_monthly where opening_mrr != 0 or closing_mrr != 0
    """
    theirs = f"""
        select date_month, previous_mrr::decimal(12, 2), coalesce(new_mrr, 0)::decimal(12, 2),
            coalesce(reactivation_mrr, 0)::decimal(12, 2), coalesce(upgrade_mrr, 0)::decimal(12, 2),
            coalesce(downgrade_mrr, 0)::decimal(12, 2), coalesce(churn_mrr, 0)::decimal(12, 2),
            mrr::decimal(12, 2)
        from read_csv('{data}/mrr_by_month_full_spine.csv')
    """
    assert differences(connection, ours, theirs) == []


@pytest.fixture(scope="module")
def crm_saas() -> tuple[duckdb.DuckDBPyConnection, Path]:
    data = folder("CRM_SAAS_DATA")
    subscriptions = read_rows(
        f"""
        select account_id || '/' || row_number() over (
                partition by account_id order by start_date, product, end_date, mrr
            ) as subscription_id,
            account_id::varchar as customer_id, product as product_id,
            start_date as term_start, end_date as term_end, mrr, quantity, units as unit
        from read_csv('{data}/subscription.csv') where start_date <= date '2023-12-31'
        """
    )
    connection = run_models(
        {"subscriptions": subscriptions},
        "2023-12-31",
        ["customer_mrr_monthly", "retention_monthly", "mrr_bridge_monthly", "renewals"],
    )
    connection.execute(
        f"""
        create temp table plain as
        select account_id::varchar as customer_id, month_start::date as month_start,
            sum(mrr)::decimal(12, 2) as mrr
        from read_csv('{data}/subscription.csv')
        inner join range(date '2022-01-01', date '2024-01-01', interval 1 month) t(month_start)
            on start_date <= last_day(month_start) and end_date > last_day(month_start)
        group by all
        """
    )
    return connection, data


def test_crm_saas_has_the_mrr_of_plain_sql(
    crm_saas: tuple[duckdb.DuckDBPyConnection, Path],
) -> None:
    connection, _ = crm_saas
    # No successor starts within a week after a gap here: plain sums and ours must be one.
    ours = """
        select customer_id, month_start, mrr::decimal(12, 2)
        from night.main.customer_mrr_monthly where mrr != 0
    """
    assert differences(connection, ours, "select * from plain") == []


@pytest.mark.parametrize("months", [1, 3, 12])
def test_crm_saas_has_the_retention_of_plain_sql(
    crm_saas: tuple[duckdb.DuckDBPyConnection, Path], months: int
) -> None:
    connection, _ = crm_saas
    ours = f"""
        select window_end, customer_count, round(grr, 8), round(nrr, 8), round(crr, 8)
        from night.main.retention_monthly
        where level = 'account' and segment_by = 'all' and window_months = {months}
    """
    theirs = f"""
        select last_day(opening.month_start + interval {months} month), count(*),
            round((sum(least(opening.mrr, coalesce(closing.mrr, 0))) / sum(opening.mrr))
                ::decimal(38, 10), 8),
            round((sum(coalesce(closing.mrr, 0)) / sum(opening.mrr))::decimal(38, 10), 8),
            round((count(closing.mrr) / count(*))::decimal(38, 10), 8)
        from plain as opening
        left join plain as closing
            on opening.customer_id = closing.customer_id
            and closing.month_start = opening.month_start + interval {months} month
        where opening.month_start + interval {months} month <= date '2023-12-01'
        group by 1
    """
    assert connection.execute(f"select count(*) from ({ours})").fetchall() == [(24 - months,)]
    assert differences(connection, ours, theirs) == []
