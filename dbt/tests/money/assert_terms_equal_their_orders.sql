-- Detects paid lines of approved orders, bought by time, that are no term though nothing ended them
-- before they began, and terms of another amount than their line.
with

lines as (
    select
        order_lines.order_line_id,
        order_lines.amount
    from {{ ref('int_order_lines_adjusted') }} as order_lines
    inner join {{ ref('int_orders_adjusted') }} as orders
        on order_lines.order_id = orders.order_id and orders.known_to is null
    left join {{ ref('stg_orders__products') }} as products
        on order_lines.product_id = products.product_id and products.known_to is null
    where
        order_lines.known_to is null
        and orders.kind = 'formal'
        and orders.approved_at <= {{ as_of_end() }}
        and order_lines.amount > 0
        and (order_lines.term_end is null or order_lines.term_end > order_lines.term_start)
        and coalesce(products.kind, 'version') not in ('one_time', 'usage')
        and coalesce(
            {{ company_date(
                'least(order_lines.cancelled_at, order_lines.vanished_at, orders.vanished_at,'
                ~ ' orders.ended_by_cancelling_at, orders.ended_by_refund_at)'
            ) }} > order_lines.term_start,
            order_lines.term_start is not null
        )
),

terms as (
    select
        order_line_id,
        max(amount) as amount
    from {{ ref('subscription_terms') }}
    where is_paid and order_line_id is not null
    group by order_line_id
),

ended_early as (
    select distinct line_id
    from {{ ref('int_contract_lines_ended') }}
    where known_to is null
)

select
    lines.order_line_id,
    lines.amount,
    terms.amount as term_amount
from lines
left join terms on lines.order_line_id = terms.order_line_id
left join ended_early
    on lines.order_line_id = ended_early.line_id and terms.order_line_id is null
where
    (terms.order_line_id is null and ended_early.line_id is null)
    or terms.amount != lines.amount
