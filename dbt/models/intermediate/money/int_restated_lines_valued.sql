with

restated as (
    select * from {{ ref('int_measures_restated') }}
),

lines_at_dates as (
    select * from {{ ref('int_contract_lines_at_dates') }}
    where has_begun and contract_mrr > 0
),

terms as (
    select
        *,
        coalesce(continued_until, effective_end, {{ far_future() }}) as covered_until
    from {{ ref('subscription_terms') }}
    where contract_mrr > 0
),

rates as (
    select * from {{ ref('int_exchange_rates_dated') }}
),

-- The days that a measure looks at: a movement is what lies between its two.
dates_searched as (
    select
        month_start,
        measure,
        customer_id,
        closed_at,
        value_date,
        1 as sign
    from restated
    where value_date is not null
    union all
    select
        month_start,
        measure,
        customer_id,
        closed_at,
        compared_date as value_date,
        case when measure in ('grr_12m', 'nrr_12m') then 1 else -1 end as sign
    from restated
    where compared_date is not null
),

lines_then_and_now as (
    select
        dates_searched.*,
        lines_at_dates.line_id,
        lines_at_dates.currency,
        -lines_at_dates.contract_mrr as difference
    from dates_searched
    inner join lines_at_dates
        on
            dates_searched.customer_id = lines_at_dates.customer_id
            and dates_searched.value_date = lines_at_dates.value_date
            and dates_searched.closed_at = lines_at_dates.known_until
    union all
    select
        dates_searched.*,
        terms.line_id,
        terms.currency,
        terms.contract_mrr as difference
    from dates_searched
    inner join terms
        on
            dates_searched.customer_id = terms.customer_id
            and dates_searched.value_date >= terms.term_start
            and dates_searched.value_date < terms.covered_until
),

-- Money without a rate is worth nothing: it moves no total, though perhaps a kind.
lines_valued as (
    select
        lines_then_and_now.month_start,
        lines_then_and_now.measure,
        lines_then_and_now.value_date,
        lines_then_and_now.line_id,
        lines_then_and_now.currency,
        lines_then_and_now.sign,
        sum(lines_then_and_now.difference) as difference,
        sum(lines_then_and_now.difference * coalesce(rates.rate, 0)) as worth
    from lines_then_and_now
    left join rates
        on
            lines_then_and_now.currency = rates.currency
            and lines_then_and_now.value_date >= rates.valid_from
            and lines_then_and_now.value_date < rates.valid_to
    group by
        lines_then_and_now.month_start,
        lines_then_and_now.measure,
        lines_then_and_now.value_date,
        lines_then_and_now.line_id,
        lines_then_and_now.currency,
        lines_then_and_now.sign
)

select * from lines_valued
