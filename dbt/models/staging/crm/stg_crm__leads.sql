with

versions as (
    {{ versions_of('leads', key=['lead_id']) }}
)

select
    lead_id,
    created_at,
    source,
    owner_id,
    converted_customer_id,
    converted_at,
    status,
    known_from,
    known_to,
    vanished_at
from versions
