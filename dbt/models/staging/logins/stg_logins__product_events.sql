select
    event_id,
    occurred_at,
    tenant_id,
    customer_id,
    user_id,
    event_name,
    feature,
    duration_seconds,
    quantity,
    _known_at as known_at,
    _batch_id as batch_id
from {{ source('raw', 'product_events') }}
