with

valued as (
    select * from {{ ref('int_terms_valued_monthly') }}
),

sides as (
    select
        customer_id,
        product_key,
        currency,
        month_start,
        product_kind,
        cast(0 as decimal(38, 10)) as opening_contract_mrr,
        contract_mrr as closing_contract_mrr,
        cast(0 as decimal(38, 10)) as opening_discount_mrr,
        contract_discount_mrr as closing_discount_mrr,
        cast(null as decimal(38, 10)) as opening_quantity,
        quantity as closing_quantity
    from valued
    union all
    select
        customer_id,
        product_key,
        currency,
        {{ add_months(1, 'month_start') }} as month_start,
        product_kind,
        contract_mrr as opening_contract_mrr,
        cast(0 as decimal(38, 10)) as closing_contract_mrr,
        contract_discount_mrr as opening_discount_mrr,
        cast(0 as decimal(38, 10)) as closing_discount_mrr,
        quantity as opening_quantity,
        cast(null as decimal(38, 10)) as closing_quantity
    from valued
),

paired as (
    select
        customer_id,
        product_key,
        currency,
        month_start,
        {{ month_end('month_start') }} as closing_date,
        {{ add_days(-1, 'month_start') }} as opening_date,
        max(product_kind) as product_kind,
        cast(sum(opening_contract_mrr) as decimal(38, 10)) as opening_contract_mrr,
        cast(sum(closing_contract_mrr) as decimal(38, 10)) as closing_contract_mrr,
        cast(sum(opening_discount_mrr) as decimal(38, 10)) as opening_discount_mrr,
        cast(sum(closing_discount_mrr) as decimal(38, 10)) as closing_discount_mrr,
        max(opening_quantity) as opening_quantity,
        max(closing_quantity) as closing_quantity
    from sides
    where {{ month_end('month_start') }} <= {{ as_of_date() }}
    group by customer_id, product_key, currency, month_start
),

opening_rates as (
    {{ rates_of_days(ref('int_exchange_rates_dated'), 'paired', 'currency', 'opening_date') }}
),

closing_rates as (
    {{ rates_of_days(ref('int_exchange_rates_dated'), 'paired', 'currency', 'closing_date') }}
),

rated as (
    select
        paired.*,
        opening_rates.rate as opening_rate,
        closing_rates.rate as closing_rate
    from paired
    left join opening_rates
        on
            paired.currency = opening_rates.currency
            and paired.opening_date = opening_rates.rate_day
    left join closing_rates
        on
            paired.currency = closing_rates.currency
            and paired.closing_date = closing_rates.rate_day
),

-- A change is valued at the opening's rate; before there is a rate, at the closing's.
changed as (
    select
        *,
        cast(coalesce(opening_contract_mrr * opening_rate, 0) as decimal(38, 10)) as opening_mrr,
        cast(coalesce(closing_contract_mrr * closing_rate, 0) as decimal(38, 10)) as closing_mrr,
        (opening_contract_mrr > 0 and opening_rate is null)
        or (closing_contract_mrr > 0 and closing_rate is null) as is_rate_missing,
        coalesce(opening_rate, closing_rate) as rate,
        cast(coalesce(
            (closing_contract_mrr - opening_contract_mrr) * coalesce(opening_rate, closing_rate), 0
        ) as decimal(38, 10)) as amount
    from rated
)

select * from changed
