with

services as (
    select * from {{ ref('int_services_audited') }}
),

service_on_cancelled_order as (
    select
        customer_id,
        line_id,
        'services' as entity,
        service_id as entity_key,
        stopped_on as happened_on,
        'Active, and its order ' || order_id || ' or line ' || order_line_id
        || ' was cancelled or refunded'
        || coalesce(' on ' || cast(stopped_on as varchar), '') || '.' as detail
    from services
    where is_active and (is_order_stopped or stopped_on <= {{ as_of_date() }})
)

select * from service_on_cancelled_order
