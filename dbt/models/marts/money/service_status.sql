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

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

connected as (
    select max(case when entity = 'service_usage' then 1 else 0 end) = 1 as is_usage_connected
    from {{ ref('int_entities_connected') }}
),

usage_summed as (
    select
        service_id,
        sum(quantity) as quantity_used,
        sum(case when used_on > {{ add_days(-28, as_of_date()) }} then quantity end)
            as quantity_used_28d
    from service_usage
    where used_on <= {{ as_of_date() }}
    group by service_id
),

-- Only what is priced by use, or seen to be used, is counted; a quantity is bought where the line
-- has an amount for it.
measured as (
    select
        services.*,
        coalesce(customers_resolved.resolved_customer_id, services.customer_id)
            as resolved_customer_id,
        coalesce(order_lines.quantity, services.quantity) as quantity_bought,
        connected.is_usage_connected
        and (products.kind = 'usage' or usage_summed.service_id is not null) as is_counted,
        coalesce(order_lines.amount, 0) > 0 as is_prepaid,
        usage_summed.quantity_used,
        usage_summed.quantity_used_28d,
        least({{ elapsed_days('services.starts_on', add_days(1, as_of_date())) }}, 28)
            as burn_days
    from services
    cross join connected
    left join order_lines on services.order_line_id = order_lines.order_line_id
    left join products
        on coalesce(order_lines.product_id, services.product_id) = products.product_id
    left join usage_summed on services.service_id = usage_summed.service_id
    left join customers_resolved on services.customer_id = customers_resolved.customer_id
    where services.vanished_at is null
),

counted as (
    select
        service_id,
        resolved_customer_id as customer_id,
        order_line_id,
        product_id,
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
        cast(case when is_counted then coalesce(quantity_used, 0) end as decimal(38, 10))
            as quantity_used,
        cast(
            case
                when is_counted and is_prepaid
                    then greatest(quantity_bought - coalesce(quantity_used, 0), 0)
            end as decimal(38, 10)
        ) as quantity_left,
        case
            when is_counted and state = 'active' and burn_days > 0
                then {{ divide('coalesce(quantity_used_28d, 0)', 'burn_days', 'double') }}
        end as burn_rate_28d
    from measured
),

service_status as (
    select
        *,
        case
            when quantity_left = 0 then 0
            else {{ divide('quantity_left', 'burn_rate_28d', 'double') }}
        end as days_to_exhaustion
    from counted
)

select * from service_status
