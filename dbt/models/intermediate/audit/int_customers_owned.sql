with

statuses as (
    select * from {{ ref('int_customers_status_periods') }}
    where status in ('formal', 'renewed', 'lapsed', 'pay_as_you_go') and valid_to is null
),

ownerships as (
    select * from {{ ref('stg_crm__ownerships') }}
    where known_to is null and vanished_at is null
),

employees as (
    {{ current_rows(ref('stg_crm__employees')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

owners as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        ownerships.customer_id || '|' || ownerships.role || '|'
        || cast(ownerships.valid_from as varchar) as owner_key,
        ownerships.role,
        ownerships.employee_id,
        ownerships.valid_from,
        employees.left_on
    from ownerships
    inner join customers_resolved on ownerships.customer_id = customers_resolved.customer_id
    left join employees on ownerships.employee_id = employees.employee_id
    where
        ownerships.valid_from <= {{ as_of_date() }}
        and (ownerships.valid_to is null or ownerships.valid_to > {{ as_of_date() }})
),

-- A customer without an owner has one row, without a role.
owned as (
    select
        statuses.customer_id,
        owners.owner_key,
        owners.role,
        owners.employee_id,
        owners.valid_from,
        owners.left_on,
        coalesce(owners.left_on <= {{ as_of_date() }}, false) as has_left
    from statuses
    left join owners on statuses.customer_id = owners.customer_id
    where {{ is_connected('ownerships') }}
)

select * from owned
