with

versions as (
    {{ versions_of('costs', key=['month', 'category']) }}
)

select
    month,
    category,
    amount,
    currency,
    known_from,
    known_to,
    vanished_at
from versions
