with

services as (
    {{ current_rows(ref('stg_orders__services')) }}
),

service_usage as (
    {{ current_rows(ref('stg_orders__service_usage')) }}
),

order_lines as (
    {{ current_rows(ref('int_order_lines_adjusted')) }}
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

terms as (
    select * from {{ ref('subscription_terms') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

connected as (
    select max(case when entity = 'service_usage' then 1 else 0 end) = 1 as is_usage_connected
    from {{ ref('int_entities_connected') }}
),

-- Each period of a line that goes on by itself buys its quantity again.
periods_begun as (
    select
        order_line_id,
        max(term_start) as begun_on
    from terms
    where term_start <= {{ as_of_date() }}
    group by order_line_id
),

usage_summed as (
    select
        services.service_id,
        sum(
            case
                when service_usage.used_on < periods_begun.begun_on then 0
                else service_usage.quantity
            end
        ) as quantity_used,
        sum(
            case
                when service_usage.used_on > {{ add_days(-28, as_of_date()) }}
                    then service_usage.quantity
            end
        ) as quantity_used_28d
    from services
    inner join service_usage on services.service_id = service_usage.service_id
    left join periods_begun on services.order_line_id = periods_begun.order_line_id
    where service_usage.used_on <= {{ as_of_date() }}
    group by services.service_id
),

-- Only what is priced by use, or seen to be used, is counted; a quantity is bought where the line
-- has an amount for it.
measured as (
    select
        services.*,
        coalesce(services.product_id, order_lines.product_id) as known_product_id,
        coalesce(customers_resolved.resolved_customer_id, services.customer_id)
            as resolved_customer_id,
        coalesce(order_lines.order_line_id, services.service_id) as bought_by,
        coalesce(order_lines.quantity, services.quantity) as quantity_bought,
        order_lines.amount > 0 and order_lines.quantity > 0 as is_prepaid,
        case
            when
                connected.is_usage_connected
                and (products.kind = 'usage' or usage_summed.service_id is not null)
                then coalesce(usage_summed.quantity_used, 0)
        end as quantity_used,
        coalesce(usage_summed.quantity_used_28d, 0) as quantity_used_28d,
        least({{ elapsed_days('services.starts_on', add_days(1, as_of_date())) }}, 28)
            as burn_days
    from services
    cross join connected
    left join order_lines on services.order_line_id = order_lines.order_line_id
    left join products
        on coalesce(order_lines.product_id, services.product_id) = products.product_id
    left join usage_summed on services.service_id = usage_summed.service_id
    left join customers_resolved on services.customer_id = customers_resolved.customer_id
),

counted as (
    select
        *,
        case
            when state = 'active' and quantity_used is not null and burn_days > 0
                then {{ divide('quantity_used_28d', 'burn_days', 'double') }}
        end as burn_rate_28d
    from measured
),

-- Services of one line, beside each other or one after the other, use up what it bought together.
lines_used as (
    select
        bought_by,
        sum(quantity_used) as quantity_used,
        sum(burn_rate_28d) as burn_rate_28d
    from counted
    group by bought_by
),

left_over as (
    select
        counted.*,
        lines_used.burn_rate_28d as line_burn_rate_28d,
        case
            when counted.is_prepaid and counted.quantity_used is not null
                then greatest(counted.quantity_bought - lines_used.quantity_used, 0)
        end as quantity_left
    from counted
    inner join lines_used on counted.bought_by = lines_used.bought_by
    where counted.vanished_at is null
),

service_status as (
    select
        service_id,
        resolved_customer_id as customer_id,
        order_line_id,
        known_product_id as product_id,
        state,
        {{ elapsed_days(
            company_date('coalesce(changed_at, known_from)'), as_of_date()
        ) }} as state_days,
        starts_on,
        ends_on,
        case
            when state in ('pending', 'active')
                then {{ elapsed_days(as_of_date(), 'ends_on') }}
        end as days_left,
        cast(quantity_bought as decimal(38, 10)) as quantity_bought,
        cast(quantity_used as decimal(38, 10)) as quantity_used,
        cast(quantity_left as decimal(38, 10)) as quantity_left,
        burn_rate_28d,
        case
            when quantity_left = 0 then 0
            when burn_rate_28d is not null
                then {{ divide('quantity_left', 'line_burn_rate_28d', 'double') }}
        end as days_to_exhaustion
    from left_over
)

select * from service_status
