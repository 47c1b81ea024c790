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

first_month as (
    select {{ month_start('min(term_start)') }} as month_start from terms
),

month_numbers as (
    {{ numbers_up_to(
        '(select ' ~ month_steps('first_month.month_start', as_of_date()) ~ ' + 1 from first_month)'
    ) }}
),

months as (
    select
        {{ add_months('cast(month_numbers.number - 1 as int)', 'first_month.month_start') }}
            as month_start,
        {{ month_end(
            add_months('cast(month_numbers.number - 1 as int)', 'first_month.month_start')
        ) }} as month_end
    from first_month
    cross join month_numbers
),

closed_months as (
    select * from months
    where month_end <= {{ as_of_date() }}
),

rates_monthly as (
    select
        rates.currency,
        closed_months.month_start,
        rates.rate
    from closed_months
    inner join rates
        on
            closed_months.month_end >= rates.valid_from
            and closed_months.month_end < rates.valid_to
),

terms_monthly as (
    select
        terms.customer_id,
        terms.product_key,
        terms.currency,
        closed_months.month_start,
        terms.product_id,
        terms.product_kind,
        terms.unit,
        terms.quantity,
        terms.contract_mrr,
        terms.contract_discount_mrr
    from terms
    inner join closed_months
        on
            terms.term_start <= closed_months.month_end
            and terms.covered_until > closed_months.month_end
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
