{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='sync_all_columns',
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
    inner join new_batches on user_days.batch_id = new_batches.batch_id
),

{%- set one_use = [
    'batch_id', 'tenant_id', 'customer_id', 'user_id', 'feature', 'occurred_at', 'known_date'
] %}

uses as (
    select
        *,
        hash({{ one_use | join(', ') }}) as use_hash
    from {{ ref('int_uses') }}
    where batch_id in (select new_batches.batch_id from new_batches)
),

-- Repeats are rare: their hashes are looked for, which is much cheaper than comparing all uses.
repeated_hashes as (
    select use_hash from uses
    group by use_hash
    having count(*) > 1
),

repeated_uses as (
    select
        {{ one_use | join(', ') }},
        activity_date,
        count(*) - 1 as repeated_event_count
    from uses
    where use_hash in (select repeated_hashes.use_hash from repeated_hashes)
    group by {{ one_use | join(', ') }}, activity_date
),

parts as (
    select
        batch_id,
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
        batch_id,
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
        batch_id,
        tenant_id,
        customer_id,
        activity_date,
        known_date,
        {{ sum_use_counts('parts') }},
        cast(sum(repeated_event_count) as bigint) as repeated_event_count
    from parts
    group by batch_id, tenant_id, customer_id, activity_date, known_date
)

select * from tenant_days
