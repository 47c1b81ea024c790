with

rounds_at_dates as (
    select * from {{ ref('int_onboarding_rounds_at_dates') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

clocks as (
    select
        rounds_at_dates.customer_id,
        cast(rounds_at_dates.round_no as bigint) as round_no,
        rounds_at_dates.clock_date,
        least(rounds_at_dates.round_start_date, rounds_at_dates.clock_date) as round_start_date
    from rounds_at_dates
    inner join night
        on
            rounds_at_dates.as_of_date = night.as_of_date
            and rounds_at_dates.known_on = night.as_of_date
    where rounds_at_dates.clock_date is not null
)

select * from clocks
