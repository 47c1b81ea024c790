with

versions as (
    {{ versions_of('services', key=['service_id']) }}
)

select
    service_id,
    order_line_id,
    customer_id,
    product_id,
    state,
    starts_on,
    ends_on,
    quantity,
    opened_by,
    changed_at,
    known_from,
    known_to,
    vanished_at
from versions
