with

user_days as (
    select * from {{ ref('int_user_days_joined') }}
),

usage_days as (
    select * from {{ ref('customer_usage_daily') }}
),

status_periods as (
    select * from {{ ref('int_customers_status_periods') }}
),

arr_changes as (
    select * from {{ ref('int_customers_arr_changed') }}
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

calendar as (
    select * from {{ ref('calendar') }}
),

users as (
    select
        activity_date,
        {{ days_to_next('activity_date', 'user_id') }} as days_to_next
    from (
        select distinct
            user_id,
            activity_date
        from user_days
        where user_id is not null
    ) as distinct_user_days
),

-- A user's day counts until it leaves the window or the user's next day takes over.
changes as (
    select
        activity_date as change_date,
        count(*) as dau,
        count(*) as wau,
        count(*) as mau,
        0 as paying_customers,
        cast(0 as decimal(38, 10)) as arr
    from users
    group by activity_date
    {% for measure, days in [('dau', 1), ('wau', 7), ('mau', 28)] %}
    {%- set counted_days = 'least(' ~ days ~ ', coalesce(days_to_next, ' ~ days ~ '))' %}
    union all
    select
        {{ plus_days('activity_date', counted_days) }} as change_date,
        {{ '-count(*)' if measure == 'dau' else '0' }} as dau,
        {{ '-count(*)' if measure == 'wau' else '0' }} as wau,
        {{ '-count(*)' if measure == 'mau' else '0' }} as mau,
        0 as paying_customers,
        cast(0 as decimal(38, 10)) as arr
    from users
    group by {{ plus_days('activity_date', counted_days) }}
    {% endfor %}
    {% for moment, sign in [('valid_from', ''), ('valid_to', '-')] %}
    union all
    select
        {{ moment }} as change_date,
        0 as dau,
        0 as wau,
        0 as mau,
        {{ sign }}1 as paying_customers,
        cast(0 as decimal(38, 10)) as arr
    from status_periods
    where {{ is_paying('status') }} and {{ moment }} is not null
    {% endfor %}
    union all
    select
        change_date,
        0 as dau,
        0 as wau,
        0 as mau,
        0 as paying_customers,
        arr_change as arr
    from arr_changes
),

changes_by_day as (
    select
        change_date,
        sum(dau) as dau,
        sum(wau) as wau,
        sum(mau) as mau,
        sum(paying_customers) as paying_customers,
        sum(arr) as arr
    from changes
    group by change_date
),

-- From the first change on, so that none falls before the first day.
days as (
    select calendar_date as kpi_date from calendar
    where calendar_date <= {{ as_of_date() }}
    union
    select change_date as kpi_date from changes_by_day
    where change_date <= {{ as_of_date() }}
),

running as (
    select
        days.kpi_date,
        sum(changes_by_day.dau) over to_date as dau,
        sum(changes_by_day.wau) over to_date as wau,
        sum(changes_by_day.mau) over to_date as mau,
        sum(changes_by_day.paying_customers) over to_date as paying_customers,
        sum(changes_by_day.arr) over to_date as arr
    from days
    left join changes_by_day on days.kpi_date = changes_by_day.change_date
    window to_date as (order by days.kpi_date rows between unbounded preceding and current row)
),

kpis as (
    select
        running.kpi_date,
        case
            when measures.measured_from <= running.kpi_date
                then cast(coalesce(running.dau, 0) as bigint)
        end as dau,
        case
            when measures.measured_from <= running.kpi_date
                then cast(coalesce(running.wau, 0) as bigint)
        end as wau,
        case
            when measures.measured_from <= running.kpi_date
                then cast(coalesce(running.mau, 0) as bigint)
        end as mau,
        cast(coalesce(running.paying_customers, 0) as bigint) as paying_customer_count,
        {{ divide_money('coalesce(running.arr, 0)', 12) }} as mrr,
        cast(coalesce(running.arr, 0) as decimal(38, 10)) as arr
    from running
    cross join measures
    where
        running.kpi_date >= (select min(usage_days.activity_date) from usage_days)
)

select * from kpis
