with

service_at_dates as (
    select * from {{ ref('int_customers_service_at_dates') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

employees as (
    {{ current_rows(ref('stg_crm__employees')) }}
),

tiers as (
    select * from {{ ref('int_tiers') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

cared_for as (
    select
        service_at_dates.customer_id,
        service_at_dates.csm_id,
        service_at_dates.tier,
        coalesce(
            money_at_dates.days_to_renewal between 0 and {{ var('renewal_window_days') }}, false
        ) as is_renewal_near
    from service_at_dates
    inner join night
        on
            service_at_dates.as_of_date = night.as_of_date
            and service_at_dates.known_on = night.as_of_date
    inner join money_at_dates
        on
            service_at_dates.customer_id = money_at_dates.customer_id
            and service_at_dates.as_of_date = money_at_dates.as_of_date
            and service_at_dates.known_on = money_at_dates.known_on
    where service_at_dates.csm_id is not null and money_at_dates.mrr > 0
),

-- Hours a week: a month is 52 / 12 weeks; a renewal's hours lie over the window before it is due.
used as (
    select
        cared_for.csm_id,
        count(*) as customer_count,
        sum(coalesce(tiers.hours_per_month, 0)) * 12 / 52
        + sum(case when cared_for.is_renewal_near then 1 else 0 end)
        * cast({{ var('renewal_hours') }} as decimal(10, 4)) * 7 / {{ var('renewal_window_days') }}
            as used_hours
    from cared_for
    left join tiers on cared_for.tier = tiers.tier
    group by cared_for.csm_id
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
