with

versions as (
    {{ versions_of('payments', key=['payment_id']) }}
)

select
    payment_id,
    order_id,
    paid_at,
    amount,
    kind,
    currency,
    known_from,
    known_to,
    vanished_at
from versions
