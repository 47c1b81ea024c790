with

versions as (
    {{ versions_of('features', key=['feature']) }}
)

select
    feature,
    is_core,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
