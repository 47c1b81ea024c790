with

terms as (
    select
        *,
        coalesce(product_id, '') as product_key,
        coalesce(continued_until, effective_end, {{ far_future() }}) as covered_until
    from {{ ref('subscription_terms') }}
    where contract_mrr > 0
),

rates as (
    select * from {{ ref('int_exchange_rates_dated') }}
),

ended_months as (
    select * from {{ ref('int_months') }}
    where has_ended
),

rates_monthly as (
    select
        rates.currency,
        ended_months.month_start,
        rates.rate
    from ended_months
    inner join rates
        on
            ended_months.month_end >= rates.valid_from
            and ended_months.month_end < rates.valid_to
),

terms_monthly as (
    select
        terms.customer_id,
        terms.product_key,
        terms.currency,
        ended_months.month_start,
        terms.product_id,
        terms.product_kind,
        terms.unit,
        terms.quantity,
        terms.contract_mrr,
        terms.contract_discount_mrr
    from terms
    inner join ended_months
        on
            terms.term_start <= ended_months.month_end
            and terms.covered_until > ended_months.month_end
),

summed as (
    select
        customer_id,
        product_key,
        currency,
        month_start,
        max(product_id) as product_id,
        max(product_kind) as product_kind,
        case when count(quantity) = count(*) and count(distinct unit) <= 1 then sum(quantity) end
            as quantity,
        cast(sum(contract_mrr) as decimal(38, 10)) as contract_mrr,
        cast(sum(coalesce(contract_discount_mrr, 0)) as decimal(38, 10)) as contract_discount_mrr
    from terms_monthly
    group by customer_id, product_key, currency, month_start
),

valued as (
    select
        summed.*,
        rates_monthly.rate,
        cast(summed.contract_mrr * rates_monthly.rate as decimal(38, 10)) as mrr
    from summed
    left join rates_monthly
        on
            summed.currency = rates_monthly.currency
            and summed.month_start = rates_monthly.month_start
)

select * from valued
