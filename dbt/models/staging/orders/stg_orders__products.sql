with

versions as (
    {{ versions_of('products', key=['product_id']) }}
)

select
    product_id,
    name,
    kind,
    unit,
    status,
    closed_on,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
