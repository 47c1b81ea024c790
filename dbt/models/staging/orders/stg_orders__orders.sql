with

versions as (
    {{ versions_of('orders', key=['order_id']) }}
)

select
    order_id,
    customer_id,
    ordered_at,
    kind,
    status,
    signed_at,
    approved_at,
    approved_by,
    approver_role,
    cancelled_at,
    refunded_at,
    originator_role,
    currency,
    payment_due_on,
    previous_order_id,
    known_from,
    known_to,
    vanished_at
from versions
