-- Customers whose MRR tonight differs by a cent between what scoring reads and the terms running
-- tonight at tonight's rates.
with

signals as (
    select
        customer_id,
        mrr
    from {{ ref('customer_signals') }}
    where as_of_date = {{ as_of_date() }} and known_on = {{ as_of_date() }}
),

running as (
    select
        customer_id,
        currency,
        contract_mrr
    from {{ ref('subscription_terms') }}
    where
        term_start <= {{ as_of_date() }}
        and (effective_end is null or coalesce(continued_until, effective_end) > {{ as_of_date() }})
),

terms as (
    select
        running.customer_id,
        sum(running.contract_mrr * rates.rate) as mrr
    from running
    left join {{ ref('int_exchange_rates_dated') }} as rates
        on
            running.currency = rates.currency
            and rates.valid_from <= {{ as_of_date() }}
            and (rates.valid_to is null or rates.valid_to > {{ as_of_date() }})
    group by running.customer_id
)

select
    coalesce(signals.customer_id, terms.customer_id) as customer_id,
    signals.mrr as signals_mrr,
    terms.mrr as terms_mrr
from signals
full join terms on signals.customer_id = terms.customer_id
where abs(coalesce(signals.mrr, 0) - coalesce(terms.mrr, 0)) >= 0.01
