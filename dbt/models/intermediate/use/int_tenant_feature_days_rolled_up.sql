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

feature_days as (
    select * from {{ ref('int_feature_days_rolled_up') }}
),

tenant_feature_days as (
    select
        {{ use_definition() }} as definition,
        feature_days.batch_id,
        feature_days.tenant_id,
        feature_days.customer_id,
        feature_days.feature,
        feature_days.activity_date,
        feature_days.known_date,
        min(feature_days.first_used_at) as first_used_at
    from feature_days
    inner join new_batches on feature_days.batch_id = new_batches.batch_id
    group by
        feature_days.batch_id,
        feature_days.tenant_id,
        feature_days.customer_id,
        feature_days.feature,
        feature_days.activity_date,
        feature_days.known_date
)

select * from tenant_feature_days
