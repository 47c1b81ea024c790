{{
    config(
        materialized='incremental',
        database='cache',
        pre_hook='{{ forget_counted_dates(this, "company_digest") if is_incremental() else "select 1" }}'
    )
}}

with

dates as (
    select * from {{ ref('int_use_dates_digested') }}
),

missing as (
    select * from dates
    {{ where_not_kept('dates', ['activity_date']) }}
),

{%- set looked_at = 'activity_date > (select '
    ~ plus_days('min(missing.activity_date)', -28) ~ ' from missing)' %}

user_days as (
    {{ uses_of_customers(
        ref('int_user_days_rolled_up'), ['user_id', 'activity_date'], looked_at
    ) }}
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
        activity_date,
        count(*) as dau,
        count(*) as wau,
        count(*) as mau
    from users
    group by activity_date
    {% for measure, days in [('dau', 1), ('wau', 7), ('mau', 28)] %}
    {%- set counted_days = 'least(' ~ days ~ ', coalesce(days_to_next, ' ~ days ~ '))' %}
    union all
    select
        {{ plus_days('activity_date', counted_days) }} as activity_date,
        {{ '-count(*)' if measure == 'dau' else '0' }} as dau,
        {{ '-count(*)' if measure == 'wau' else '0' }} as wau,
        {{ '-count(*)' if measure == 'mau' else '0' }} as mau
    from users
    group by {{ plus_days('activity_date', counted_days) }}
    {% endfor %}
    -- A missing day changes nothing; it is where the sums are read.
    union all
    select
        activity_date,
        0 as dau,
        0 as wau,
        0 as mau
    from missing
),

running as (
    select
        activity_date,
        sum(sum(dau)) over to_date as dau,
        sum(sum(wau)) over to_date as wau,
        sum(sum(mau)) over to_date as mau
    from changes
    group by activity_date
    window to_date as (order by activity_date rows between unbounded preceding and current row)
),

company_days as (
    select
        missing.activity_date,
        missing.company_digest,
        cast(running.dau as bigint) as dau,
        cast(running.wau as bigint) as wau,
        cast(running.mau as bigint) as mau
    from missing
    inner join running on missing.activity_date = running.activity_date
)

select * from company_days
