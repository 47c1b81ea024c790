-- Detects approved orders whose parts do not add up to what was ordered: delivered, undelivered and
-- cancelled; paid, receivable and credit. No part may be negative.
with

parts as (
    select
        *,
        ordered_amount - delivered_amount - undelivered_amount - cancelled_amount
            as delivery_difference,
        ordered_amount - greatest(cancelled_amount, refunded_amount)
        - paid_amount - receivable_amount + credit_amount as payment_difference
    from {{ ref('order_delivery') }}
)

select *
from parts
where
    (is_approved and abs(delivery_difference) > 0.005)
    or (is_approved and abs(payment_difference) > 0.005)
    or (not is_approved and delivered_amount + undelivered_amount + receivable_amount != 0)
    or (ordered_amount >= 0 and least(delivered_amount, undelivered_amount) < -0.005)
    or cancelled_amount < -0.005
    or overdue_amount > receivable_amount
