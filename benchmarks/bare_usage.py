"""The usage tables in one process and bare DuckDB: the yardstick of `benchmarks/usage.py`.

Reads the landed events of a data root and the customers of their tenants, and writes, month by
month, user-days and days of features, and from them customer days with exact distinct users of 1, 7
and 28 days, active days and distinct core features of 28 days (one ordered pass), into a new file.
It knows no batches, so nothing can be added or taken back; no late events and no repeats; one
definition and one zone; no entitlements; no dbt and no tests: what the counting itself costs.

    python benchmarks/bare_usage.py <data root> <new file>
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

EXCLUDED, LOGIN, HELP = "'notification_sent'", "'login'", "'help_viewed'"
VALUE = "'workflow_completed', 'signature_given'"
CORE = """
    'document_created', 'document_shared', 'workflow_completed', 'signature_given', 'report_viewed'
"""

MONTH = f"""
    from (
        select
            * exclude (customer_id, feature),
            case when event_name in ({CORE}) then event_name else feature end as feature,
            (occurred_at at time zone 'Europe/Berlin')::date as activity_date
        from events
        where occurred_at >= $month and occurred_at < $month + interval 1 month
    )
    inner join tenant_customers using (tenant_id)
    where event_name != {EXCLUDED}
"""

USER_DAYS = f"""
    insert into user_days
    select
        customer_id,
        user_id,
        activity_date,
        count(*)::integer as event_count,
        count(*) filter (event_name = {LOGIN})::integer as login_count,
        count(*) filter (event_name in ({CORE}))::integer as core_action_count,
        count(*) filter (event_name in ({VALUE}))::integer as value_action_count,
        count(*) filter (event_name = {HELP})::integer as help_view_count,
        sum(duration_seconds)::bigint as duration_seconds
    {MONTH}
    group by all
"""

FEATURE_DAYS = f"""
    insert into feature_days
    select customer_id, feature, activity_date, min(occurred_at) as first_used_at
    {MONTH} and feature is not null
    group by all
"""

CUSTOMER_DAYS = f"""
    create table customer_days as
    with gaps as (
        select
            customer_id,
            activity_date,
            activity_date - lag(activity_date) over following as since,
            lead(activity_date) over following - activity_date as until
        from (select distinct customer_id, user_id, activity_date from user_days)
        window following as (partition by customer_id, user_id order by activity_date)
    ),
    feature_gaps as (
        select
            customer_id,
            activity_date,
            lead(activity_date) over following - activity_date as until
        from (
            select distinct customer_id, feature, activity_date from feature_days
            where feature in ({CORE})
        )
        window following as (partition by customer_id, feature order by activity_date)
    ),
    totals as (
        select
            customer_id, activity_date, sum(event_count) as event_count,
            sum(login_count) as login_count, sum(core_action_count) as core_action_count,
            sum(value_action_count) as value_action_count,
            sum(help_view_count) as help_view_count, sum(duration_seconds) as duration_seconds
        from user_days group by all
    ),
    changes as (
        select
            customer_id,
            activity_date,
            count(*) as users,
            count(*) filter (since is null or since >= 7) as users_7d,
            count(*) filter (since is null or since >= 28) as users_28d,
            0 as days_28d,
            0 as features_28d
        from gaps group by all
        union all
        select customer_id, activity_date + 7, 0, -count(*), 0, 0, 0 from gaps
        where until is null or until >= 7 group by all
        union all
        select customer_id, activity_date + 28, 0, 0, -count(*), 0, 0 from gaps
        where until is null or until >= 28 group by all
        union all
        select customer_id, activity_date, 0, 0, 0, 1, 0 from totals
        union all
        select customer_id, activity_date + 28, 0, 0, 0, -1, 0 from totals
        union all
        select customer_id, activity_date, 0, 0, 0, 0, count(*) from feature_gaps group by all
        union all
        select
            customer_id, activity_date + least(28, coalesce(until, 28))::integer, 0, 0, 0, 0,
            -count(*)
        from feature_gaps group by all
    ),
    days as (
        select customer_id, unnest(range(first_date, last_date + 1, interval 1 day))::date
            as activity_date
        from (
            select
                customer_id, min(activity_date) as first_date,
                (select max(activity_date) from user_days) as last_date
            from user_days group by all
        )
    )
    select
        customer_id,
        activity_date,
        coalesce(changed.users, 0) as active_user_count,
        sum(changed.users_7d) over to_date as active_user_count_7d,
        sum(changed.users_28d) over to_date as active_user_count_28d,
        sum(changed.days_28d) over to_date as active_day_count_28d,
        sum(changed.features_28d) over to_date as core_feature_count_28d,
        totals.* exclude (customer_id, activity_date)
    from days
    left join (
        select
            customer_id, activity_date, sum(users) as users, sum(users_7d) as users_7d,
            sum(users_28d) as users_28d, sum(days_28d) as days_28d,
            sum(features_28d) as features_28d
        from changes group by all
    ) as changed using (customer_id, activity_date)
    left join totals using (customer_id, activity_date)
    window to_date as (partition by customer_id order by activity_date)
"""


def build(home: Path, target: Path, memory_limit: str = "6GB") -> None:
    """Compute the tables; the night's private file names the customers of the tenants."""
    with duckdb.connect(target) as connection:
        connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false")
        connection.execute(f"set memory_limit = '{memory_limit}'")
        connection.execute(f"attach '{home / 'build' / 'night.duckdb'}' as night (read_only)")
        connection.execute("""
            create table tenant_customers as
            select tenants.tenant_id, customers.resolved_customer_id as customer_id
            from night.staging.stg_logins__tenants as tenants
            inner join night.intermediate.int_customers_resolved as customers
                on tenants.customer_id = customers.customer_id
            where tenants.known_to is null
        """)
        files = home / "landing" / "product_events" / "*" / "rows.parquet"
        connection.execute(
            f"create view events as from read_parquet('{files}', union_by_name = true)"
        )
        connection.execute("""
            create table user_days (
                customer_id varchar, user_id varchar, activity_date date, event_count integer,
                login_count integer, core_action_count integer, value_action_count integer,
                help_view_count integer, duration_seconds bigint
            );
            create table feature_days (
                customer_id varchar, feature varchar, activity_date date, first_used_at timestamptz
            )
        """)
        months = connection.execute("""
            select unnest(range(
                date_trunc('month', min(occurred_at)), max(occurred_at), interval 1 month
            )) from events
        """).fetchall()
        for (month,) in months:
            connection.execute(USER_DAYS, {"month": month})
            connection.execute(FEATURE_DAYS, {"month": month})
        connection.execute(CUSTOMER_DAYS)


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
