with

orders as (
    select * from {{ ref('int_orders_adjusted') }}
),

order_lines as (
    select * from {{ ref('int_order_lines_adjusted') }}
),

subscriptions as (
    select * from {{ ref('int_subscriptions_adjusted') }}
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

wallet_entries as (
    select * from {{ ref('stg_orders__wallet_entries') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

-- Bought once or paid by use: what makes a customer without terms one who pays as he goes. What is
-- given for nothing is not bought. What a later version took back was known until then.
lines_without_term as (
    select
        orders.customer_id,
        {{ company_date('coalesce(orders.approved_at, orders.ordered_at)') }} as purchased_on,
        greatest(order_lines.known_from, orders.known_from, orders.approved_at) as known_at,
        order_lines.known_to is null and orders.known_to is null as is_known_tonight
    from order_lines
    inner join orders
        on
            order_lines.order_id = orders.order_id
            and {{ is_known_together('order_lines', 'orders') }}
    left join products on order_lines.product_id = products.product_id
    where
        orders.kind = 'formal'
        and orders.is_approved
        and (
            products.kind = 'usage'
            or (
                order_lines.amount > 0
                and (
                    products.kind = 'one_time'
                    or (order_lines.term_start is null and order_lines.term_end is null)
                )
            )
        )
),

usage_subscriptions as (
    select
        subscriptions.customer_id,
        subscriptions.term_start as purchased_on,
        subscriptions.known_from as known_at,
        subscriptions.known_to is null as is_known_tonight
    from subscriptions
    inner join products on subscriptions.product_id = products.product_id
    where
        not coalesce(subscriptions.is_trial, false)
        and (
            products.kind = 'usage'
            or (
                products.kind = 'one_time'
                and coalesce(subscriptions.amount, subscriptions.mrr) > 0
            )
        )
),

wallets as (
    select
        customer_id,
        {{ company_date('occurred_at') }} as purchased_on,
        known_from as known_at,
        known_to is null as is_known_tonight
    from wallet_entries
),

unioned as (
    select * from lines_without_term
    union all
    select * from usage_subscriptions
    union all
    select * from wallets
),

purchases as (
    select
        coalesce(customers_resolved.resolved_customer_id, unioned.customer_id) as customer_id,
        unioned.purchased_on,
        min(unioned.known_at) as known_at,
        max(case when unioned.is_known_tonight then 1 else 0 end) = 1 as is_known_tonight
    from unioned
    left join customers_resolved on unioned.customer_id = customers_resolved.customer_id
    group by 1, 2
)

select * from purchases
