with

versions as (
    {{ versions_of('tenants', key=['tenant_id']) }}
)

select
    tenant_id,
    customer_id,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
