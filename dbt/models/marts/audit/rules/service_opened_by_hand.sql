with

services as (
    select * from {{ ref('int_services_audited') }}
),

service_opened_by_hand as (
    select
        customer_id,
        line_id,
        'services' as entity,
        service_id as entity_key,
        changed_on as happened_on,
        'Opened by hand, not by an order.' as detail
    from services
    where opened_by = 'manual' and state in ('pending', 'active')
)

select * from service_opened_by_hand
