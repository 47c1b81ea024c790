with

terms as (
    select
        customer_id,
        currency,
        coalesce(contract_mrr, 0) as contract_mrr,
        case when contract_mrr > 0 then 1 else 0 end as mrr_count,
        term_start,
        coalesce(continued_until, effective_end, {{ far_future() }}) as covered_until
    from {{ ref('subscription_terms') }}
    where is_paid
),

rates as (
    select * from {{ ref('int_exchange_rates_dated') }}
),

-- A term's ARR in the company's currency stands while its rate does; what was paid once for ever
-- has none, and needs no rate.
valued as (
    select
        terms.customer_id,
        cast(12 * terms.contract_mrr * rates.rate as decimal(38, 10)) as arr,
        0 as terms,
        terms.mrr_count as valued_terms,
        greatest(terms.term_start, rates.valid_from) as valid_from,
        least(terms.covered_until, rates.valid_to) as valid_to
    from terms
    inner join rates
        on
            terms.currency = rates.currency
            and rates.valid_from < terms.covered_until
            and terms.term_start < rates.valid_to
),

spans as (
    select * from valued
    union all
    select
        customer_id,
        cast(0 as decimal(38, 10)) as arr,
        mrr_count as terms,
        0 as valued_terms,
        term_start as valid_from,
        covered_until as valid_to
    from terms
    where term_start < covered_until
),

changes as (
    select
        customer_id,
        valid_from as change_date,
        arr,
        terms,
        valued_terms
    from spans
    union all
    select
        customer_id,
        valid_to as change_date,
        -arr as arr,
        -terms as terms,
        -valued_terms as valued_terms
    from spans
),

changed as (
    select
        customer_id,
        change_date,
        cast(sum(arr) as decimal(38, 10)) as arr_change,
        cast(sum(terms) as bigint) as term_change,
        cast(sum(valued_terms) as bigint) as valued_term_change
    from changes
    where change_date <= {{ as_of_date() }}
    group by customer_id, change_date
)

select * from changed
