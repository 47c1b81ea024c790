-- Detects orders whose amount is not that of their lines. Lines that go on by themselves or are
-- priced by use may come to more.
with

order_lines as (
    {{ current_rows(ref('int_order_lines_adjusted')) }}
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

summed as (
    select
        order_lines.order_id,
        sum(order_lines.amount) as amount,
        max(
            case when order_lines.is_auto_renew or products.kind = 'usage' then 1 else 0 end
        ) as may_be_more
    from order_lines
    left join products on order_lines.product_id = products.product_id
    group by order_lines.order_id
)

select
    order_delivery.order_id,
    order_delivery.ordered_amount,
    summed.amount
from {{ ref('order_delivery') }} as order_delivery
inner join summed on order_delivery.order_id = summed.order_id
where
    order_delivery.ordered_amount < summed.amount - 0.005
    or (summed.may_be_more = 0 and order_delivery.ordered_amount > summed.amount + 0.005)
