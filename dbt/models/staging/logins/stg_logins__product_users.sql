with

versions as (
    {{ versions_of('product_users', key=['user_id']) }}
)

select
    user_id,
    tenant_id,
    customer_id,
    created_at,
    deactivated_at,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
