with

versions as (
    {{ versions_of('customer_ids', key=['source', 'source_id']) }}
)

select
    source,
    source_id,
    customer_id,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
