with

versions as (
    {{ versions_of('product_prices', key=['product_id', 'valid_from']) }}
)

select
    product_id,
    valid_from,
    valid_to,
    price,
    currency,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
