{{ config(materialized='ephemeral') }}

with

events as (
    select * from {{ ref('stg_logins__product_events') }}
),

core_features as (
    select * from {{ ref('int_core_features') }}
),

dated as (
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
    left join core_features as core_names
        on events.event_name = core_names.feature and not core_names.is_marked
    left join core_features as marked_features
        on events.feature = marked_features.feature and marked_features.is_marked
    where not {{ in_event_group('events.event_name', 'excluded_events') }}
),

uses as (
    select
        * exclude (known_date),
        greatest(activity_date, coalesce(known_date, activity_date)) as known_date
    from dated
)

select * from uses
