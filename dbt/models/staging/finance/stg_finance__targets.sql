with

versions as (
    {{ versions_of('targets', key=['month', 'metric', 'segment']) }}
)

select
    month,
    metric,
    segment,
    value,
    known_from,
    known_to,
    vanished_at
from versions
