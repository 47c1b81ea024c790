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
        events.occurred_at,
        events.duration_seconds,
        -- An event that is core by its name is a feature of that name.
        coalesce(core_names.feature, events.feature) as feature,
        {{ company_date('events.occurred_at') }} as activity_date,
        -- Most events are known when they happen: one conversion less of what costs most here.
        case
            when events.known_at > events.occurred_at then {{ company_date('events.known_at') }}
        end as known_date,
        {% if var('core_events') -%}
        {{ in_event_group('events.event_name', 'core_events') }} as is_core
        {%- else -%}
        marked_features.feature is not null as is_core
        {%- endif %}
    from events
    inner join new_batches on events.batch_id = new_batches.batch_id
    left join core_features as core_names
        on events.event_name = core_names.feature and not core_names.is_marked
    left join core_features as marked_features
        on events.feature = marked_features.feature and marked_features.is_marked
    where not {{ in_event_group('events.event_name', 'excluded_events') }}
),

feature_days as (
    select
        batch_id,
        tenant_id,
        customer_id,
        user_id,
        feature,
        activity_date,
        {{ known_date() }} as known_date,
        min(occurred_at) as first_used_at,
        count(*) as event_count,
        count(*) - {{ count_distinct_of_few('occurred_at') }} as repeated_event_count,
        {{ count_when('event_name = ' ~ text_literal(var('login_event'))) }} as login_count,
        {{ count_when('is_core') }} as core_action_count,
        {% if var('value_events') -%}
        {{ count_when(in_event_group('event_name', 'value_events')) }} as value_action_count,
        {%- else -%}
        {{ count_when('is_core') }} as value_action_count,
        {%- endif %}
        {{ count_when(in_event_group('event_name', 'help_events')) }} as help_view_count,
        sum(duration_seconds) as duration_seconds
    from uses
    group by
        batch_id, tenant_id, customer_id, user_id, feature, activity_date, {{ known_date() }}
),

-- A batch without any use leaves one empty row, so that it is not read again every night.
batches_without_use as (
    select
        new_batches.batch_id,
        cast(null as varchar) as tenant_id,
        cast(null as varchar) as customer_id,
        cast(null as varchar) as user_id,
        cast(null as varchar) as feature,
        cast(null as date) as activity_date,
        cast(null as date) as known_date,
        cast(null as timestamptz) as first_used_at,
        0 as event_count,
        0 as repeated_event_count,
        0 as login_count,
        0 as core_action_count,
        0 as value_action_count,
        0 as help_view_count,
        cast(null as bigint) as duration_seconds
    from new_batches
    where
        not exists (
            select 1 from feature_days where feature_days.batch_id = new_batches.batch_id
        )
),

rolled_up as (
    select * from feature_days
    union all
    select * from batches_without_use
)

select
    {{ use_definition() }} as definition,
    batch_id,
    tenant_id,
    customer_id,
    user_id,
    feature,
    activity_date,
    known_date,
    first_used_at,
    cast(event_count as integer) as event_count,
    cast(repeated_event_count as integer) as repeated_event_count,
    cast(login_count as integer) as login_count,
    cast(core_action_count as integer) as core_action_count,
    cast(value_action_count as integer) as value_action_count,
    cast(help_view_count as integer) as help_view_count,
    cast(duration_seconds as bigint) as duration_seconds
from rolled_up
