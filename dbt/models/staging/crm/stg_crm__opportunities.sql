with

versions as (
    {{ versions_of('opportunities', key=['opportunity_id']) }}
)

select
    opportunity_id,
    customer_id,
    created_at,
    stage,
    amount,
    currency,
    owner_id,
    closed_at,
    is_won,
    lost_reason,
    forecast_category,
    order_id,
    known_from,
    known_to,
    vanished_at
from versions
