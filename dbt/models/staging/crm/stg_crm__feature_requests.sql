with

versions as (
    {{ versions_of('feature_requests', key=['request_id']) }}
)

select
    request_id,
    customer_id,
    feature,
    requested_at,
    shipped_at,
    is_promised_at_sale,
    known_from,
    known_to,
    vanished_at
from versions
