with

services as (
    select * from {{ ref('int_services_audited') }}
),

orders as (
    select * from {{ ref('int_orders_adjusted') }}
    where known_to is null and kind = 'formal'
),

lines as (
    select * from {{ ref('int_lines_audited') }}
),

payments as (
    {{ current_rows(ref('stg_orders__payments')) }}
),

connected as (
    select {{ company_date('connected_from') }} as connected_on
    from {{ ref('int_entities_connected') }}
    where entity = 'payments'
),

amounts as (
    select
        order_id,
        sum(amount) as amount
    from lines
    group by order_id
),

-- Orders due before payments were first known are not measured.
orders_unpaid as (
    select
        orders.order_id,
        orders.payment_due_on
    from orders
    inner join amounts on orders.order_id = amounts.order_id and amounts.amount > 0
    inner join connected on orders.payment_due_on >= connected.connected_on
    where
        {{ add_days(var('audit_unpaid_days'), 'orders.payment_due_on') }} < {{ as_of_date() }}
        and not exists (
            select 1 from payments
            where payments.order_id = orders.order_id and payments.kind = 'payment'
        )
),

service_without_payment as (
    select
        services.customer_id,
        services.line_id,
        'services' as entity,
        services.service_id as entity_key,
        orders_unpaid.payment_due_on as happened_on,
        'Active, and nothing was paid on order ' || services.order_id || ', due on '
        || cast(orders_unpaid.payment_due_on as varchar) || '.' as detail
    from services
    inner join orders_unpaid on services.order_id = orders_unpaid.order_id
    where services.is_active and services.is_approved and not services.is_order_stopped
)

select * from service_without_payment
