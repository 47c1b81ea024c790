with

night as (
    select * from {{ ref('stg_ingest__night') }}
),

orders as (
    select * from {{ ref('int_orders_adjusted') }}
),

order_lines as (
    select * from {{ ref('int_order_lines_adjusted') }}
),

subscriptions as (
    select * from {{ ref('int_subscriptions_adjusted') }}
),

weeks as (
    {{ dbt.generate_series(var('signal_history_weeks')) }}
),

first_facts as (
    select min({{ company_date('ordered_at') }}) as fact_date from orders
    union all
    select min(term_start) as fact_date from order_lines
    union all
    select min(term_start) as fact_date from subscriptions
),

first_fact as (
    select min(fact_date) as fact_date from first_facts
),

tonight as (
    select
        as_of_date,
        as_of_date as known_on,
        as_of_end as known_until
    from night
),

-- Last night as known now: what changed since is told from late data by it.
last_night as (
    select
        previous_night as as_of_date,
        as_of_date as known_on,
        as_of_end as known_until
    from night
    where previous_night is not null and previous_night < as_of_date
),

past_sundays as (
    select
        {{ dbt.dateadd('day', '-1 - 7 * cast(weeks.generated_number - 1 as integer)',
            dbt.date_trunc('week', 'night.as_of_date')) }} as sunday
    from night
    cross join weeks
),

-- Each past Sunday as known on its own evening.
weekly as (
    select
        cast(past_sundays.sunday as date) as as_of_date,
        cast(past_sundays.sunday as date) as known_on,
        {{ day_end('cast(past_sundays.sunday as date)') }} as known_until
    from past_sundays
    cross join first_fact
    where cast(past_sundays.sunday as date) >= first_fact.fact_date
)

select * from tonight
union all
select * from last_night
union all
select * from weekly
