with

services as (
    select * from {{ ref('int_services_audited') }}
),

service_without_order as (
    select
        customer_id,
        line_id,
        'services' as entity,
        service_id as entity_key,
        changed_on as happened_on,
        case
            when order_line_id is null then 'Active without an order line.'
            when line_id is null
                then 'Active on order line ' || order_line_id || ', which is not there.'
            else 'Active, and order ' || order_id || ' was never approved.'
        end as detail
    from services
    where
        is_active
        and is_line_told
        and {{ is_connected('order_lines') }}
        and (line_id is null or (not is_approved and not is_order_stopped))
)

select * from service_without_order
