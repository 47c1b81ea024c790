with

cared_for as (
    select * from {{ ref('int_customers_cared_for') }}
    where csm_id is not null
),

employees as (
    {{ current_rows(ref('stg_crm__employees')) }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

used as (
    select
        csm_id,
        count(*) as customer_count,
        sum(used_hours) as used_hours
    from cared_for
    group by csm_id
),

csms as (
    select csm_id from used
    union
    select employee_id as csm_id
    from employees
    cross join night
    where
        role = '{{ var("csm_role") }}'
        and (left_on is null or left_on > night.as_of_date)
        and (started_on is null or started_on <= night.as_of_date)
        and vanished_at is null
),

capacity as (
    select
        csms.csm_id,
        employees.name as csm_name,
        cast(employees.weekly_hours as double) as weekly_hours,
        round(cast(coalesce(used.used_hours, 0) as double), 6) as used_hours,
        round(
            cast(employees.weekly_hours as double) - cast(coalesce(used.used_hours, 0) as double),
            6
        ) as hours_left,
        cast(coalesce(used.customer_count, 0) as bigint) as customer_count
    from csms
    left join used on csms.csm_id = used.csm_id
    left join employees on csms.csm_id = employees.employee_id
)

select * from capacity
