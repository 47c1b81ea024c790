with

service_at_dates as (
    select * from {{ ref('int_customers_service_at_dates') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

ownerships as (
    select * from {{ ref('int_ownerships_at_dates') }}
),

customers as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null
),

tiers as (
    select * from {{ ref('int_tiers') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

paying as (
    select
        service_at_dates.customer_id,
        service_at_dates.csm_id,
        ownerships.csm_on_paper_id,
        customers.segment,
        money_at_dates.arr,
        coalesce(tiers.hours_per_month, 0) as hours_per_month,
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
    left join ownerships
        on
            service_at_dates.customer_id = ownerships.customer_id
            and service_at_dates.as_of_date = ownerships.as_of_date
            and service_at_dates.known_on = ownerships.known_on
    left join customers on service_at_dates.customer_id = customers.customer_id
    left join tiers on service_at_dates.tier = tiers.tier
    where money_at_dates.mrr > 0
),

-- Hours a week: a month is 52 / 12 weeks; a renewal's hours lie over the window before it is due.
cared_for as (
    select
        customer_id,
        csm_id,
        csm_on_paper_id,
        segment,
        arr,
        cast(
            hours_per_month * 12 / 52
            + case
                when is_renewal_near
                    then
                        cast({{ var('renewal_hours') }} as decimal(10, 4))
                        * 7 / {{ var('renewal_window_days') }}
                else 0
            end as decimal(38, 10)
        ) as used_hours
    from paying
)

select * from cared_for
