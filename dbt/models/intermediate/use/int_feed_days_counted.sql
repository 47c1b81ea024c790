{{
    config(
        materialized='incremental',
        database='cache',
        pre_hook='{{ forget_counted_dates(this) if is_incremental() else "select 1" }}'
    )
}}

with

dates as (
    select * from {{ ref('int_use_dates_digested') }}
),

missing as (
    select
        activity_date,
        dates_digest
    from dates
    {{ where_not_kept('dates', ['activity_date']) }}
),

{% for things, roll_up in [
    ('user_days', ref('int_user_days_rolled_up')), ('tenant_days', ref('int_tenant_days_rolled_up'))
] -%}
{{ things }} as (
    select * from {{ roll_up }}
    where
        {{ is_known_use() }}
        -- The first date says nothing new, but what is older is not even read.
        and activity_date >= (select min(missing.activity_date) from missing)
        and activity_date in (select missing.activity_date from missing)
),

{% endfor -%}
batches as (
    select * from {{ ref('stg_ingest__batches') }}
),

tenants_counted as (
    select
        batches.source as feed,
        coalesce(tenant_days.tenant_id, tenant_days.customer_id) as tenant_id,
        tenant_days.activity_date,
        sum(tenant_days.event_count) as event_count,
        sum(
            case
                when known_date <= {{ week_end('activity_date') }} then tenant_days.event_count
                else 0
            end
        ) as event_count_in_week,
        sum(case when known_date <= activity_date then tenant_days.event_count else 0 end)
            as event_count_in_time,
        sum(case when known_date <= activity_date then tenant_days.repeated_event_count else 0 end)
            as repeated_event_count_in_time
    from tenant_days
    inner join batches on tenant_days.batch_no = batches.batch_no
    group by
        batches.source,
        coalesce(tenant_days.tenant_id, tenant_days.customer_id),
        tenant_days.activity_date
),

-- What came late counts for the tenant, not for the day as it stood on its own night.
users_in_time as (
    select
        feed,
        activity_date,
        count(*) as user_count_in_time
    from (
        select distinct
            batches.source as feed,
            coalesce(user_days.tenant_id, user_days.customer_id) as tenant_id,
            user_days.user_id,
            user_days.activity_date
        from user_days
        inner join batches on user_days.batch_no = batches.batch_no
        where user_days.known_date <= user_days.activity_date and user_days.user_id is not null
    ) as distinct_users
    group by feed, activity_date
),

feed_days as (
    select
        tenants_counted.feed,
        tenants_counted.activity_date,
        count(*) as tenant_count,
        cast(sum(event_count) as bigint) as event_count,
        median(event_count) as tenant_event_count_p50,
        count(case when event_count_in_week > 0 then 1 end) as tenant_count_in_week,
        cast(sum(event_count_in_week) as bigint) as event_count_in_week,
        median(case when event_count_in_week > 0 then event_count_in_week end)
            as tenant_event_count_p50_in_week,
        cast(sum(event_count_in_time) as bigint) as event_count_in_time,
        cast(sum(repeated_event_count_in_time) as bigint) as repeated_event_count_in_time,
        cast(coalesce(max(users_in_time.user_count_in_time), 0) as bigint) as user_count_in_time
    from tenants_counted
    left join users_in_time
        on
            tenants_counted.feed = users_in_time.feed
            and tenants_counted.activity_date = users_in_time.activity_date
    group by tenants_counted.feed, tenants_counted.activity_date
),

-- A day without use is kept as one empty row: it has been counted.
feed_days_counted as (
    select
        missing.activity_date,
        missing.dates_digest,
        feed_days.* exclude (activity_date)
    from missing
    left join feed_days on missing.activity_date = feed_days.activity_date
)

select * from feed_days_counted
