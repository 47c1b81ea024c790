with

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

rates as (
    select * from {{ ref('stg_finance__exchange_rates') }}
),

months as (
    select * from {{ ref('int_months') }}
),

-- The signal dates with the day 90 days before each; of a closed month, as known at its close, its
-- last day with that of the month and of the year before; of each month its first day as known on
-- that day, when its forecast is made.
valued_dates as (
    select
        as_of_date as value_date,
        known_until
    from signal_dates
    union
    select
        {{ add_days(-90, 'as_of_date') }} as value_date,
        known_until
    from signal_dates
    union
    {% for months_before in [0, 1, 12] %}
    select
        {{ month_end(add_months(-months_before, 'month_start')) }} as value_date,
        closed_at as known_until
    from months
    where is_closed
    union
    {% endfor %}
    select
        month_start as value_date,
        begun_at as known_until
    from months
),

-- The latest rate of a day that was known then.
rated as (
    select
        valued_dates.value_date,
        valued_dates.known_until,
        rates.currency,
        cast(max_by(rates.rate, rates.rate_date) as decimal(20, 10)) as rate
    from valued_dates
    inner join rates
        on
            valued_dates.value_date >= rates.rate_date
            and {{ is_known_at('rates', 'valued_dates.known_until') }}
    where rates.currency != '{{ var("company_currency") }}'
    group by valued_dates.value_date, valued_dates.known_until, rates.currency
    union all
    select
        value_date,
        known_until,
        '{{ var("company_currency") }}' as currency,
        cast(1 as decimal(20, 10)) as rate
    from valued_dates
)

select * from rated
