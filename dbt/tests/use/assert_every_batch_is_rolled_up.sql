-- Detects batches of events that a roll-up lacks, and batches it still holds though they are no
-- longer active.
with

batches as (
    select
        batch_id,
        batch_no
    from {{ ref('stg_ingest__batches') }} where entity = 'product_events'
)

{% for roll_up in [
    'int_user_days_rolled_up', 'int_tenant_days_rolled_up', 'int_tenant_feature_days_rolled_up'
] %}
select
    '{{ roll_up }}' as roll_up,
    batches.batch_id as active_batch_id,
    rolled_up.batch_no as rolled_up_batch_no
from batches
full outer join (select distinct batch_no from {{ ref(roll_up) }}) as rolled_up
    on batches.batch_no = rolled_up.batch_no
where batches.batch_no is null or rolled_up.batch_no is null
{{ 'union all' if not loop.last }}
{% endfor %}
