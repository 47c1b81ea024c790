with

services as (
    select * from {{ ref('stg_orders__services') }}
    where known_to is null and vanished_at is null
),

lines as (
    select * from {{ ref('int_lines_audited') }}
),

service_usage as (
    select * from {{ ref('stg_orders__service_usage') }}
    where known_to is null and quantity > 0
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

last_used as (
    select
        service_id,
        max(used_on) as last_used_on
    from service_usage
    where used_on <= {{ as_of_date() }}
    group by service_id
),

running as (
    select
        customer_id,
        product_id,
        sum(quantity) as quantity
    from lines
    where
        is_approved
        and term_start <= {{ as_of_date() }}
        and (ends_on is null or ends_on > {{ as_of_date() }})
    group by customer_id, product_id
),

services_matched as (
    select
        services.service_id,
        coalesce(customers_resolved.resolved_customer_id, services.customer_id) as customer_id,
        coalesce(services.product_id, lines.product_id) as product_id,
        services.order_line_id,
        lines.line_id,
        lines.order_id,
        services.state,
        services.state = 'active'
        and coalesce(services.starts_on <= {{ as_of_date() }}, true)
        and coalesce(services.ends_on > {{ as_of_date() }}, true) as is_active,
        services.opened_by,
        services.starts_on,
        services.ends_on,
        services.quantity,
        coalesce({{ company_date('services.changed_at') }}, services.starts_on) as changed_on,
        last_used.last_used_on,
        lines.is_approved,
        lines.is_order_stopped,
        lines.stopped_on,
        lines.is_auto_renew,
        lines.quantity as line_quantity,
        lines.term_end as line_term_end,
        lines.ends_on as line_ends_on,
        -- A source that never names a line does not tell which order opened a service.
        count(services.order_line_id) over () > 0 as is_line_told
    from services
    left join lines
        on services.order_line_id = lines.entity_key and lines.entity = 'order_lines'
    left join customers_resolved on services.customer_id = customers_resolved.customer_id
    left join last_used on services.service_id = last_used.service_id
),

services_audited as (
    select
        services_matched.*,
        running.quantity as running_quantity
    from services_matched
    left join running
        on
            services_matched.customer_id = running.customer_id
            and services_matched.product_id = running.product_id
)

select * from services_audited
