with

versions as (
    {{ versions_of('feature_entitlements', key=['product_id', 'feature', 'valid_from']) }}
)

select
    product_id,
    feature,
    valid_from,
    valid_to,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
