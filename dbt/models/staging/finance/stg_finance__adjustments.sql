with

versions as (
    {{ versions_of('adjustments', key=['adjustment_id']) }}
)

select
    adjustment_id,
    author,
    reason,
    dated_on,
    entity,
    entity_key,
    "column",
    value,
    known_from,
    known_to,
    vanished_at
from versions
