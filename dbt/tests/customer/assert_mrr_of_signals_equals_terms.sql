-- Customers whose MRR tonight differs by a cent between what scoring reads and the terms.
with

signals as (
    select
        customer_id,
        mrr
    from {{ ref('customer_signals') }}
    where as_of_date = {{ as_of_date() }} and known_on = {{ as_of_date() }}
),

terms as (
    select
        customer_id,
        sum(mrr) as mrr
    from {{ ref('subscription_terms') }}
    where
        term_start <= {{ as_of_date() }}
        and (effective_end is null or coalesce(continued_until, effective_end) > {{ as_of_date() }})
    group by customer_id
)

select
    coalesce(signals.customer_id, terms.customer_id) as customer_id,
    signals.mrr as signals_mrr,
    terms.mrr as terms_mrr
from signals
full join terms on signals.customer_id = terms.customer_id
where abs(coalesce(signals.mrr, 0) - coalesce(terms.mrr, 0)) >= 0.01
