with

orders as (
    select * from {{ ref('int_orders_adjusted') }}
    where known_to is null and approved_at is not null
),

employees as (
    select * from {{ ref('stg_crm__employees') }}
),

approvals as (
    select
        orders.*,
        lower(trim(coalesce(orders.approver_role, employees.role))) as role
    from orders
    left join employees
        on
            orders.approved_by = employees.employee_id
            and {{ is_described_at('employees', 'orders.approved_at') }}
),

approver_not_finance as (
    select
        customer_id,
        cast(null as varchar) as line_id,
        'orders' as entity,
        order_id as entity_key,
        {{ company_date('approved_at') }} as happened_on,
        'Approved by ' || coalesce(approved_by || ' as ', '') || role || '.' as detail
    from approvals
    where role not in ({{ in_list(var('audit_approver_roles')) }})
)

select * from approver_not_finance
