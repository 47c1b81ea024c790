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

-- An ownership ends on its own day, or when its row vanishes.
owned as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        ownerships.role,
        ownerships.valid_from,
        least(ownerships.valid_to, {{ company_date('ownerships.vanished_at') }}) as valid_to,
        ownerships.employee_id,
        ownerships.customer_id || '|' || cast(ownerships.valid_from as varchar) as ownership_key,
        employees.left_on
    from ownerships
    inner join customers_resolved on ownerships.customer_id = customers_resolved.customer_id
    left join employees on ownerships.employee_id = employees.employee_id
),

boundaries as (
    {% for moment in ['valid_from', 'valid_to', 'left_on'] -%}
    select
        customer_id,
        role,
        {{ moment }} as changed_on
    from owned
    where {{ moment }} <= {{ as_of_date() }}
    {{ 'union' if not loop.last }}
    {% endfor -%}
),

-- The latest begun holds; when a cover ends, whom it stood in for holds again. Who has left owns
-- nobody, and hides whom he followed.
holding as (
    select
        boundaries.customer_id,
        boundaries.role,
        boundaries.changed_on,
        owned.ownership_key,
        owned.valid_to,
        owned.left_on,
        case
            when owned.left_on is null or owned.left_on > boundaries.changed_on
                then owned.employee_id
        end as employee_id,
        row_number() over (
            partition by boundaries.customer_id, boundaries.role, boundaries.changed_on
            order by owned.valid_from desc, owned.employee_id, owned.ownership_key
        ) as place
    from boundaries
    left join owned
        on
            boundaries.customer_id = owned.customer_id
            and boundaries.role = owned.role
            and owned.valid_from <= boundaries.changed_on
            and (owned.valid_to is null or owned.valid_to > boundaries.changed_on)
),

followed as (
    select
        *,
        coalesce(ownership_key, '') != coalesce(lag(ownership_key) over holders, '')
            as is_change
    from holding
    where place = 1
    window holders as (partition by customer_id, role order by changed_on)
),

team as (
    select
        customer_id,
        role,
        changed_on as valid_from,
        employee_id,
        least(
            valid_to,
            left_on,
            lead(changed_on) over (partition by customer_id, role order by changed_on)
        ) as valid_to
    from followed
    where is_change
),

customer_team as (
    select * from team
    where employee_id is not null
)

select * from customer_team
