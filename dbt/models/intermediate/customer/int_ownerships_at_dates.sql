with

customers_at_dates as (
    select * from {{ ref('int_customers_at_dates') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

ownerships as (
    select * from {{ ref('stg_crm__ownerships') }}
),

employees as (
    select * from {{ ref('stg_crm__employees') }}
),

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

connected as (
    select * from {{ ref('int_entities_connected') }}
    where entity = 'ownerships'
),

holding as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        signal_dates.known_until,
        ownerships.role,
        ownerships.employee_id,
        ownerships.valid_from,
        row_number() over (
            partition by
                customers_resolved.resolved_customer_id,
                signal_dates.as_of_date,
                signal_dates.known_on,
                ownerships.role
            order by ownerships.valid_from desc, ownerships.employee_id, ownerships.customer_id
        ) as place
    from ownerships
    inner join customers_resolved on ownerships.customer_id = customers_resolved.customer_id
    inner join signal_dates
        on
            ownerships.valid_from <= signal_dates.as_of_date
            and (ownerships.valid_to is null or ownerships.valid_to > signal_dates.as_of_date)
            and {{ is_known_at('ownerships', 'signal_dates.known_until') }}
            and {{ is_there_at('ownerships', 'signal_dates.known_until') }}
),

owners as (
    select
        holding.customer_id,
        holding.as_of_date,
        holding.known_on,
        holding.role,
        holding.employee_id,
        holding.valid_from,
        coalesce(employees.left_on <= holding.as_of_date, false) as has_left
    from holding
    left join employees
        on
            holding.employee_id = employees.employee_id
            and {{ is_described_at('employees', 'holding.known_until') }}
    where holding.place = 1
),

-- Who has left owns nobody: the customer waits for a new owner.
owned as (
    select
        customers_at_dates.customer_id,
        customers_at_dates.as_of_date,
        customers_at_dates.known_on,
        case when not csms.has_left then csms.employee_id end as csm_id,
        csms.employee_id as csm_on_paper_id,
        case when not csms.has_left then csms.valid_from end as csm_since,
        case when not sales.has_left then sales.employee_id end as sales_id,
        case
            when connected.connected_from <= customers_at_dates.known_until
                then coalesce(not csms.has_left, false)
        end as has_owner,
        case
            when connected.connected_from <= customers_at_dates.known_until
                then coalesce(csms.has_left, false)
        end as has_owner_left
    from customers_at_dates
    left join connected on true
    left join owners as csms
        on
            customers_at_dates.customer_id = csms.customer_id
            and customers_at_dates.as_of_date = csms.as_of_date
            and customers_at_dates.known_on = csms.known_on
            and csms.role = '{{ var("csm_role") }}'
    left join owners as sales
        on
            customers_at_dates.customer_id = sales.customer_id
            and customers_at_dates.as_of_date = sales.as_of_date
            and customers_at_dates.known_on = sales.known_on
            and sales.role = '{{ var("sales_role") }}'
)

select * from owned
