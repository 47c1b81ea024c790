with

versions as (
    {{ versions_of('quotes', key=['quote_id']) }}
)

select
    quote_id,
    opportunity_id,
    created_at,
    amount,
    currency,
    valid_until,
    known_from,
    known_to,
    vanished_at
from versions
