with

versions as (
    {{ versions_of('wallet_entries', key=['entry_id']) }}
)

select
    entry_id,
    customer_id,
    occurred_at,
    amount,
    currency,
    known_from,
    known_to,
    vanished_at
from versions
