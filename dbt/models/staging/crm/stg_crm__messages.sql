with

versions as (
    {{ versions_of('messages', key=['message_id']) }}
)

select
    message_id,
    customer_id,
    sent_at,
    is_from_customer,
    employee_id,
    channel,
    known_from,
    known_to,
    vanished_at
from versions
