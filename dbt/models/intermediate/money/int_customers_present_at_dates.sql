with

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

purchases as (
    select * from {{ ref('int_customers_purchases_dated') }}
),

-- Since when a customer is there, and since when it pays, by the lines known so far: a line that
-- became known later counts only where it moves the first day back.
first_days as (
    select
        customer_id,
        least(term_start, closed_on) as first_date,
        case when is_paid then term_start end as paid_date,
        known_from
    from lines
    union all
    select
        customer_id,
        purchased_on as first_date,
        cast(null as date) as paid_date,
        known_at as known_from
    from purchases
),

first_days_compared as (
    select
        *,
        min(first_date) over (
            partition by customer_id
            order by known_from, first_date, paid_date nulls last
            rows between unbounded preceding and 1 preceding
        ) as first_date_before,
        min(paid_date) over (
            partition by customer_id
            order by known_from, first_date, paid_date nulls last
            rows between unbounded preceding and 1 preceding
        ) as paid_date_before
    from first_days
),

first_days_known as (
    select * from first_days_compared
    where
        first_date_before is null
        or first_date < first_date_before
        or (paid_date is not null and (paid_date_before is null or paid_date < paid_date_before))
),

present as (
    select
        first_days_known.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        signal_dates.known_until,
        min(
            case
                when first_days_known.paid_date <= signal_dates.as_of_date
                    then first_days_known.paid_date
            end
        ) as first_paid_date
    from first_days_known
    inner join signal_dates
        on
            first_days_known.first_date <= signal_dates.as_of_date
            and first_days_known.known_from <= signal_dates.known_until
    group by
        first_days_known.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        signal_dates.known_until
)

select * from present
