with

versions as (
    {{ versions_of('service_usage', key=['service_id', 'used_on']) }}
)

select
    service_id,
    used_on,
    quantity,
    known_from,
    known_to,
    vanished_at
from versions
