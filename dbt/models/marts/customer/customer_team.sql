with

ownerships as (
    {{ current_rows(ref('stg_crm__ownerships')) }}
),

employees as (
    {{ current_rows(ref('stg_crm__employees')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

-- An ownership ends on its own day, when its row vanishes, or when the employee leaves.
ownerships_ended as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        ownerships.role,
        ownerships.valid_from,
        ownerships.employee_id,
        least(
            ownerships.valid_to,
            {{ company_date('ownerships.vanished_at') }},
            employees.left_on
        ) as valid_to,
        row_number() over (
            partition by
                customers_resolved.resolved_customer_id, ownerships.role, ownerships.valid_from
            order by ownerships.employee_id, ownerships.customer_id
        ) as place
    from ownerships
    inner join customers_resolved on ownerships.customer_id = customers_resolved.customer_id
    inner join night on ownerships.valid_from <= night.as_of_date
    left join employees on ownerships.employee_id = employees.employee_id
),

-- The latest begun holds.
team as (
    select
        customer_id,
        role,
        valid_from,
        employee_id,
        least(
            valid_to,
            lead(valid_from) over (partition by customer_id, role order by valid_from)
        ) as valid_to
    from ownerships_ended
    where place = 1
),

customer_team as (
    select * from team
    where valid_to is null or valid_to > valid_from
)

select * from customer_team
