with

rolled_up as (
    select * from {{ ref('int_user_days_rolled_up') }}
),

batches as (
    select * from {{ ref('stg_ingest__batches') }}
),

-- Users first, then tenants: much cheaper than counting distinct users.
user_days as (
    select
        batches.source as feed,
        coalesce(rolled_up.tenant_id, rolled_up.customer_id) as tenant_id,
        rolled_up.user_id,
        rolled_up.activity_date,
        rolled_up.known_date <= rolled_up.activity_date as is_in_time,
        sum(rolled_up.event_count) as event_count,
        sum(rolled_up.repeated_event_count) as repeated_event_count
    from rolled_up
    inner join batches on rolled_up.batch_id = batches.batch_id
    where
        rolled_up.known_date <= {{ as_of_date() }}
        and rolled_up.activity_date <= {{ as_of_date() }}
    group by
        batches.source,
        coalesce(rolled_up.tenant_id, rolled_up.customer_id),
        rolled_up.user_id,
        rolled_up.activity_date,
        rolled_up.known_date <= rolled_up.activity_date
),

tenant_days as (
    select
        feed,
        tenant_id,
        activity_date,
        is_in_time,
        sum(event_count) as event_count,
        sum(repeated_event_count) as repeated_event_count,
        count(user_id) as user_count
    from user_days
    group by feed, tenant_id, activity_date, is_in_time
),

-- What came late counts for the tenant, not for the day as it stood on its own night.
tenant_days_counted as (
    select
        feed,
        tenant_id,
        activity_date,
        sum(event_count) as event_count,
        sum(case when is_in_time then event_count else 0 end) as event_count_in_time,
        sum(case when is_in_time then repeated_event_count else 0 end)
            as repeated_event_count_in_time,
        sum(case when is_in_time then user_count else 0 end) as user_count_in_time
    from tenant_days
    group by feed, tenant_id, activity_date
),

feed_days as (
    select
        feed,
        activity_date,
        count(*) as tenant_count,
        cast(sum(event_count) as bigint) as event_count,
        median(event_count) as tenant_event_count_p50,
        cast(sum(event_count_in_time) as bigint) as event_count_in_time,
        cast(sum(repeated_event_count_in_time) as bigint) as repeated_event_count_in_time,
        cast(sum(user_count_in_time) as bigint) as user_count_in_time
    from tenant_days_counted
    group by feed, activity_date
)

select * from feed_days
