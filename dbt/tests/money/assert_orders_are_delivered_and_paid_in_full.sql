-- Detects approved orders whose parts do not add up to what was ordered: delivered, undelivered and
-- cancelled; paid, receivable and credit. No part may be negative, unless a line is.
with

order_delivery as (
    select * from {{ ref('order_delivery') }}
),

order_lines as (
    {{ current_rows(ref('int_order_lines_adjusted')) }}
),

credits as (
    select * from order_lines
    where amount < 0
),

parts as (
    select
        *,
        ordered_amount - delivered_amount - undelivered_amount - cancelled_amount
            as delivery_difference,
        ordered_amount - greatest(cancelled_amount, refunded_amount)
        - paid_amount - receivable_amount + credit_amount as payment_difference,
        least(delivered_amount, undelivered_amount, cancelled_amount) as least_part
    from order_delivery
)

select *
from parts
where
    (is_approved and abs(delivery_difference) > 0.005)
    or (is_approved and abs(payment_difference) > 0.005)
    or (not is_approved and delivered_amount + undelivered_amount + receivable_amount != 0)
    or (
        least_part < -0.005
        and not exists (select 1 from credits where credits.order_id = parts.order_id)
    )
    or overdue_amount > receivable_amount
