with

employees as (
    {{ current_rows(ref('stg_crm__employees')) }}
),

interactions as (
    {{ current_rows(ref('stg_crm__interactions')) }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

access_log as (
    {{ current_rows(ref('stg_product__access_log')) }}
),

actions as (
    select
        customer_id,
        'interactions' as entity,
        interaction_id as entity_key,
        employee_id,
        occurred_at
    from interactions
    union all
    select
        customer_id,
        'orders' as entity,
        order_id as entity_key,
        approved_by as employee_id,
        approved_at as occurred_at
    from orders
    union all
    select
        cast(null as varchar) as customer_id,
        'access_log' as entity,
        entry_id as entity_key,
        employee_id,
        occurred_at
    from access_log
),

departed_employee_acting as (
    select
        actions.customer_id,
        cast(null as varchar) as line_id,
        actions.entity,
        actions.entity_key,
        {{ company_date('actions.occurred_at') }} as happened_on,
        actions.employee_id || ' acted on '
        || cast({{ company_date('actions.occurred_at') }} as varchar) || ' and had left on '
        || cast(employees.left_on as varchar) || '.' as detail
    from actions
    inner join employees on actions.employee_id = employees.employee_id
    where {{ company_date('actions.occurred_at') }} > employees.left_on
)

select * from departed_employee_acting
