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

-- A batch without any use leaves one empty row, so that it is not read again every night.
user_days as (
    select
        {{ use_definition() }} as definition,
        new_batches.batch_no,
        uses.tenant_id,
        uses.customer_id,
        uses.user_id,
        uses.activity_date,
        uses.known_date,
        {{ count_uses() }}
    from new_batches
    left join uses on new_batches.batch_no = uses.batch_no
    group by
        new_batches.batch_no,
        uses.tenant_id,
        uses.customer_id,
        uses.user_id,
        uses.activity_date,
        uses.known_date
)

select * from user_days
