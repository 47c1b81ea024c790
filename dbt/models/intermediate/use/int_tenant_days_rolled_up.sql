{{
    config(
        materialized='incremental',
        database='cache',
        pre_hook='{{ forget_rolled_up_batches(this) if is_incremental() else "select 1" }}'
    )
}}

with

new_batches as (
    {{ batches_to_roll_up() }}
),

user_days as (
    select user_days.*
    from {{ ref('int_user_days_rolled_up') }} as user_days
    inner join new_batches on user_days.batch_no = new_batches.batch_no
),

new_events as (
    {{ events_to_roll_up() }}
),

{%- set moment = 'hash(batch_no, tenant_id, customer_id, user_id, occurred_at)' %}

-- Repeats are rare: the moments at which a user is seen more than once are looked for first, which
-- is much cheaper than comparing all uses.
shared_moments as (
    select {{ moment }} as moment
    from new_events
    group by {{ moment }}
    having count(*) > 1
),

suspected_events as (
    select * from ({{ events_to_roll_up() }}) as events_again
    where {{ moment }} in (select shared_moments.moment from shared_moments)
),

suspected_uses as (
    {{ uses_among('select * from suspected_events') }}
),

{%- set one_use = [
    'batch_no', 'tenant_id', 'customer_id', 'user_id', 'feature', 'occurred_at', 'activity_date',
    'known_date'
] | join(', ') %}

repeated_uses as (
    select
        {{ one_use }},
        count(*) - 1 as repeated_event_count
    from suspected_uses
    group by {{ one_use }}
    having count(*) > 1
),

parts as (
    select
        batch_no,
        tenant_id,
        customer_id,
        activity_date,
        known_date,
        0 as repeated_event_count,
        event_count,
        login_count,
        core_action_count,
        value_action_count,
        help_view_count,
        duration_seconds
    from user_days
    union all
    select
        batch_no,
        tenant_id,
        customer_id,
        activity_date,
        known_date,
        repeated_event_count,
        0 as event_count,
        0 as login_count,
        0 as core_action_count,
        0 as value_action_count,
        0 as help_view_count,
        cast(null as bigint) as duration_seconds
    from repeated_uses
),

tenant_days as (
    select
        {{ use_definition() }} as definition,
        batch_no,
        tenant_id,
        customer_id,
        activity_date,
        known_date,
        {{ sum_use_counts('parts') }},
        cast(sum(repeated_event_count) as bigint) as repeated_event_count
    from parts
    group by batch_no, tenant_id, customer_id, activity_date, known_date
)

select * from tenant_days
