with

service_usage as (
    {{ current_rows(ref('stg_orders__service_usage')) }}
),

services as (
    {{ current_rows(ref('stg_orders__services')) }}
),

order_lines as (
    {{ current_rows(ref('int_order_lines_adjusted')) }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

used_monthly as (
    select
        service_id,
        {{ month_start('used_on') }} as month_start,
        {{ month_end(month_start('used_on')) }} as month_end,
        sum(quantity) as quantity
    from service_usage
    group by service_id, {{ month_start('used_on') }}
),

priced_monthly as (
    select
        coalesce(customers_resolved.resolved_customer_id, services.customer_id) as customer_id,
        used_monthly.month_start,
        used_monthly.month_end,
        orders.currency,
        used_monthly.quantity * order_lines.unit_price as amount
    from used_monthly
    inner join services on used_monthly.service_id = services.service_id
    inner join order_lines on services.order_line_id = order_lines.order_line_id
    inner join orders on order_lines.order_id = orders.order_id
    inner join products on order_lines.product_id = products.product_id
    left join customers_resolved on services.customer_id = customers_resolved.customer_id
    where
        products.kind = 'usage'
        and orders.kind = 'formal'
        and orders.is_approved
        and used_monthly.month_end <= {{ as_of_date() }}
),

rates as (
    {{ rates_of_days(
        ref('int_exchange_rates_dated'), 'priced_monthly', 'currency', 'month_end'
    ) }}
),

-- A currency without a rate leaves the customer's month unknown.
revenue_monthly as (
    select
        priced_monthly.customer_id,
        priced_monthly.month_start,
        case
            when count(rates.rate) = count(*)
                then cast(sum(priced_monthly.amount * rates.rate) as decimal(38, 10))
        end as usage_revenue
    from priced_monthly
    left join rates
        on
            priced_monthly.currency = rates.currency
            and priced_monthly.month_end = rates.rate_day
    group by priced_monthly.customer_id, priced_monthly.month_start
)

select * from revenue_monthly
