with

access_log as (
    {{ current_rows(ref('stg_product__access_log')) }}
),

employees as (
    select * from {{ ref('stg_crm__employees') }}
),

action_beyond_role as (
    select
        cast(null as varchar) as customer_id,
        cast(null as varchar) as line_id,
        'access_log' as entity,
        access_log.entry_id as entity_key,
        {{ company_date('access_log.occurred_at') }} as happened_on,
        access_log.employee_id || ' (' || employees.role || ') did '
        || coalesce(access_log.action, 'something') || ', allowed to ' || access_log.allowed_role
        || '.' as detail
    from access_log
    inner join employees
        on
            access_log.employee_id = employees.employee_id
            and {{ is_described_at('employees', 'access_log.occurred_at') }}
    where lower(trim(access_log.allowed_role)) != lower(trim(employees.role))
)

select * from action_beyond_role
