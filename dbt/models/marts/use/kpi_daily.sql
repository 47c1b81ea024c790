with

company_days as (
    select * from {{ ref('int_company_days_counted') }}
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

changes as (
    {% for moment, sign in [('valid_from', ''), ('valid_to', '-')] -%}
    select
        {{ moment }} as change_date,
        {{ sign }}1 as paying_customers,
        cast(0 as decimal(38, 10)) as arr
    from status_periods
    where {{ is_paying('status') }} and {{ moment }} is not null
    union all
    {% endfor -%}
    select
        change_date,
        0 as paying_customers,
        arr_change as arr
    from arr_changes
),

changes_by_day as (
    select
        change_date,
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
            when measures.measured_from <= running.kpi_date and measures.has_users
                then cast(coalesce(company_days.dau, 0) as bigint)
        end as dau,
        case
            when measures.measured_from <= running.kpi_date and measures.has_users
                then cast(coalesce(company_days.wau, 0) as bigint)
        end as wau,
        case
            when measures.measured_from <= running.kpi_date and measures.has_users
                then cast(coalesce(company_days.mau, 0) as bigint)
        end as mau,
        cast(coalesce(running.paying_customers, 0) as bigint) as paying_customer_count,
        {{ divide_money('coalesce(running.arr, 0)', 12) }} as mrr,
        cast(coalesce(running.arr, 0) as decimal(38, 10)) as arr
    from running
    cross join measures
    left join company_days on running.kpi_date = company_days.activity_date
    where
        running.kpi_date >= (select min(usage_days.activity_date) from usage_days)
)

select * from kpis
