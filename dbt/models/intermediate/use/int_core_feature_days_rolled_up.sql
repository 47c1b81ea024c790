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
        core_features.feature,
        {{ company_date('events.occurred_at') }} as activity_date,
        -- Most events are known when they happen: one conversion less of what costs most here.
        case
            when events.known_at > events.occurred_at then {{ company_date('events.known_at') }}
        end as known_date
    from events
    inner join new_batches on events.batch_id = new_batches.batch_id
    inner join core_features
        on
            case when core_features.is_marked then events.feature else events.event_name end
            = core_features.feature
    where not {{ in_event_group('events.event_name', 'excluded_events') }}
),

feature_days as (
    select
        batch_id,
        tenant_id,
        customer_id,
        feature,
        activity_date,
        {{ known_date() }} as known_date,
        count(*) as event_count
    from uses
    group by
        batch_id, tenant_id, customer_id, feature, activity_date, {{ known_date() }}
),

-- A batch without any core use leaves one empty row, so that it is not read again every night.
batches_without_use as (
    select
        new_batches.batch_id,
        cast(null as varchar) as tenant_id,
        cast(null as varchar) as customer_id,
        cast(null as varchar) as feature,
        cast(null as date) as activity_date,
        cast(null as date) as known_date,
        0 as event_count
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
    feature,
    activity_date,
    known_date,
    cast(event_count as integer) as event_count
from rolled_up
