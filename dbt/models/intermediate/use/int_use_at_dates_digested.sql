with

signal_dates as (
    select * from {{ ref('int_signal_dates_in_series') }}
),

customers as (
    select * from {{ ref('int_customers_measured') }}
    where first_use_date is not null
),

portions as (
    select distinct
        activity_date,
        definition,
        batch_no,
        known_date
    from {{ ref('int_tenant_days_rolled_up') }}
    where {{ is_known_use() }}
),

segment_days as (
    {{ days_in_segments() }}
),

calendar as (
    select * from {{ ref('calendar') }}
),

-- What was known of all use at a date, and so of every outage of a whole week before it.
dates_digested as (
    select
        signal_dates.as_of_date,
        signal_dates.known_on,
        {{ digest_rows([
            'portions.activity_date', 'portions.definition', 'portions.batch_no',
            'portions.known_date'
        ]) }} as digest
    from signal_dates
    inner join portions
        on
            portions.activity_date <= signal_dates.as_of_date
            and portions.known_date <= signal_dates.known_on
    group by signal_dates.as_of_date, signal_dates.known_on
),

segments_digested as (
    select
        customer_id,
        {{ digest_rows(['segment', 'valid_from', 'valid_to']) }} as digest
    from segment_days
    group by customer_id
),

working_days_digested as (
    select
        signal_dates.as_of_date,
        signal_dates.known_on,
        {{ digest_rows(['calendar.calendar_date']) }} as digest
    from signal_dates
    inner join calendar on calendar.calendar_date <= signal_dates.as_of_date
    where calendar.is_working_day
    group by signal_dates.as_of_date, signal_dates.known_on
),

at_dates as (
    select
        customers.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        hash(
            {{ level_definition() }},
            customers.customer_digest,
            dates_digested.digest,
            segments_digested.digest,
            working_days_digested.digest
        ) as digest
    from customers
    inner join signal_dates on customers.first_use_date <= signal_dates.as_of_date
    left join dates_digested
        on
            signal_dates.as_of_date = dates_digested.as_of_date
            and signal_dates.known_on = dates_digested.known_on
    left join working_days_digested
        on
            signal_dates.as_of_date = working_days_digested.as_of_date
            and signal_dates.known_on = working_days_digested.known_on
    left join segments_digested on customers.customer_id = segments_digested.customer_id
)

select * from at_dates
