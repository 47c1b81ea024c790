with

versions as (
    {{ versions_of('exchange_rates', key=['rate_date', 'currency']) }}
)

select
    rate_date,
    currency,
    rate,
    known_from,
    known_to,
    vanished_at
from versions
