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

uses as (
    {{ uses_among(events_to_roll_up()) }}
),

-- A batch without any leaves one empty row here, too.
tenant_feature_days as (
    select
        {{ use_definition() }} as definition,
        new_batches.batch_no,
        uses.tenant_id,
        uses.customer_id,
        uses.feature,
        uses.activity_date,
        uses.known_date,
        min(uses.occurred_at) as first_used_at
    from new_batches
    left join uses on new_batches.batch_no = uses.batch_no and uses.feature is not null
    group by
        new_batches.batch_no,
        uses.tenant_id,
        uses.customer_id,
        uses.feature,
        uses.activity_date,
        uses.known_date
)

select * from tenant_feature_days
