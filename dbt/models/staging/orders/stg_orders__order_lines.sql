with

versions as (
    {{ versions_of('order_lines', key=['order_line_id']) }}
)

select
    order_line_id,
    order_id,
    product_id,
    quantity,
    unit_price,
    discount_amount,
    coupon_code,
    amount,
    term_start,
    term_end,
    is_auto_renew,
    notice_days,
    non_renewal_noted_at,
    cancelled_at,
    replaces_order_line_id,
    bound_to_order_line_id,
    known_from,
    known_to,
    vanished_at
from versions
