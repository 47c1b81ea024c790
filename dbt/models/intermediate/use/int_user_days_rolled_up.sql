{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='sync_all_columns',
        database='cache',
        pre_hook='{{ forget_rolled_up_batches() }}'
    )
}}

with

new_batches as (
    {{ batches_to_roll_up() }}
),

events as (
    select * from {{ ref('stg_logins__product_events') }}
),

core_features as (
    select * from {{ ref('int_core_features') }}
),

uses as (
    select
        events.batch_id,
        events.tenant_id,
        events.customer_id,
        events.user_id,
        events.event_name,
        events.duration_seconds,
        {{ company_date('events.occurred_at') }} as activity_date,
        -- Most events are known when they happen: one conversion less of what costs most here.
        case
            when events.known_at > events.occurred_at then {{ company_date('events.known_at') }}
        end as known_date,
        {% if var('core_events') -%}
        {{ in_event_group('events.event_name', 'core_events') }} as is_core
        {%- else -%}
        core_features.feature is not null as is_core
        {%- endif %}
    from events
    inner join new_batches on events.batch_id = new_batches.batch_id
    left join core_features on events.feature = core_features.feature
    where not {{ in_event_group('events.event_name', 'excluded_events') }}
),

user_days as (
    select
        batch_id,
        tenant_id,
        customer_id,
        user_id,
        activity_date,
        {{ known_date() }} as known_date,
        count(*) as event_count,
        sum(
            case when event_name = {{ text_literal(var('login_event')) }} then 1 else 0 end
        ) as login_count,
        sum(case when is_core then 1 else 0 end) as core_action_count,
        {% if var('value_events') -%}
        sum(
            case when {{ in_event_group('event_name', 'value_events') }} then 1 else 0 end
        ) as value_action_count,
        {%- else -%}
        sum(case when is_core then 1 else 0 end) as value_action_count,
        {%- endif %}
        sum(
            case when {{ in_event_group('event_name', 'help_events') }} then 1 else 0 end
        ) as help_view_count,
        sum(duration_seconds) as duration_seconds
    from uses
    group by
        batch_id, tenant_id, customer_id, user_id, activity_date, {{ known_date() }}
),

-- A batch without any use leaves one empty row, so that it is not read again every night.
batches_without_use as (
    select
        new_batches.batch_id,
        cast(null as varchar) as tenant_id,
        cast(null as varchar) as customer_id,
        cast(null as varchar) as user_id,
        cast(null as date) as activity_date,
        cast(null as date) as known_date,
        0 as event_count,
        0 as login_count,
        0 as core_action_count,
        0 as value_action_count,
        0 as help_view_count,
        cast(null as bigint) as duration_seconds
    from new_batches
    where
        not exists (
            select 1 from user_days where user_days.batch_id = new_batches.batch_id
        )
),

rolled_up as (
    select * from user_days
    union all
    select * from batches_without_use
)

select
    {{ use_definition() }} as definition,
    batch_id,
    tenant_id,
    customer_id,
    user_id,
    activity_date,
    known_date,
    cast(event_count as integer) as event_count,
    cast(login_count as integer) as login_count,
    cast(core_action_count as integer) as core_action_count,
    cast(value_action_count as integer) as value_action_count,
    cast(help_view_count as integer) as help_view_count,
    cast(duration_seconds as bigint) as duration_seconds
from rolled_up
