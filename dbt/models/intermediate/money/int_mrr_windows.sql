with

valued as (
    select * from {{ ref('int_terms_valued_monthly') }}
),

customers_described as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null
),

movements as (
    select * from {{ ref('mrr_movements') }}
    where kind = 'reactivation'
),

rates as (
    select * from {{ ref('int_exchange_rates_dated') }}
),

spans as (
    {% for window_months in [1, 3, 12] -%}
    select cast({{ window_months }} as bigint) as window_months
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- A group may belong to a group: three steps up reach the top of any we have seen.
parents as (
    select
        children.customer_id,
        coalesce(
            third.parent_customer_id,
            second.parent_customer_id,
            children.parent_customer_id,
            children.customer_id
        ) as parent_id
    from customers_described as children
    left join customers_described as second on children.parent_customer_id = second.customer_id
    left join customers_described as third on second.parent_customer_id = third.customer_id
),

customers_valued as (
    select
        customer_id,
        currency,
        month_start,
        max(rate) as rate,
        sum(contract_mrr) as contract_mrr
    from valued
    where rate is not null
    group by customer_id, currency, month_start
),

units as (
    select
        'account' as unit_kind,
        customer_id as unit_id,
        '' as product_id,
        currency,
        month_start,
        rate,
        contract_mrr
    from customers_valued
    union all
    select
        'parent' as unit_kind,
        coalesce(parents.parent_id, customers_valued.customer_id) as unit_id,
        '' as product_id,
        customers_valued.currency,
        customers_valued.month_start,
        max(customers_valued.rate) as rate,
        sum(customers_valued.contract_mrr) as contract_mrr
    from customers_valued
    left join parents on customers_valued.customer_id = parents.customer_id
    group by 2, 4, 5
    union all
    select
        'product' as unit_kind,
        customer_id as unit_id,
        product_key as product_id,
        currency,
        month_start,
        rate,
        contract_mrr
    from valued
    where rate is not null
),

sides as (
    select
        units.unit_kind,
        units.unit_id,
        units.product_id,
        units.currency,
        spans.window_months,
        units.month_start as opening_month,
        {{ add_months('cast(spans.window_months as int)', 'units.month_start') }} as closing_month,
        units.contract_mrr as opening_contract_mrr,
        cast(0 as decimal(38, 10)) as closing_contract_mrr,
        cast(null as decimal(20, 10)) as closing_rate
    from units
    cross join spans
    union all
    select
        units.unit_kind,
        units.unit_id,
        units.product_id,
        units.currency,
        spans.window_months,
        {{ add_months('cast(-spans.window_months as int)', 'units.month_start') }} as opening_month,
        units.month_start as closing_month,
        cast(0 as decimal(38, 10)) as opening_contract_mrr,
        units.contract_mrr as closing_contract_mrr,
        units.rate as closing_rate
    from units
    cross join spans
),

opening_rates as (
    select
        rates.currency,
        months.opening_month,
        rates.rate
    from (select distinct opening_month from sides) as months
    inner join rates
        on
            {{ month_end('months.opening_month') }} >= rates.valid_from
            and (
                {{ month_end('months.opening_month') }} < rates.valid_to or rates.valid_to is null
            )
),

-- Both ends at the opening's rate: rates move neither GRR nor NRR.
windows as (
    select
        sides.unit_kind,
        sides.unit_id,
        sides.product_id,
        sides.window_months,
        {{ month_end('sides.opening_month') }} as window_start,
        {{ month_end('sides.closing_month') }} as window_end,
        cast(
            sum(sides.opening_contract_mrr * coalesce(opening_rates.rate, sides.closing_rate))
            as decimal(38, 10)
        ) as opening_mrr,
        cast(
            sum(sides.closing_contract_mrr * coalesce(opening_rates.rate, sides.closing_rate))
            as decimal(38, 10)
        ) as closing_mrr
    from sides
    left join opening_rates
        on
            sides.currency = opening_rates.currency
            and sides.opening_month = opening_rates.opening_month
    where {{ month_end('sides.closing_month') }} <= {{ as_of_date() }}
    group by
        sides.unit_kind,
        sides.unit_id,
        sides.product_id,
        sides.window_months,
        sides.opening_month,
        sides.closing_month
    having sum(sides.opening_contract_mrr) > 0
),

-- A group returns when one of its accounts does and the group had no MRR at the opening.
return_months as (
    select
        unit_kinds.unit_kind,
        movements.customer_id as unit_id,
        movements.month_start
    from movements
    cross join (
        select 'account' as unit_kind
        union all
        select 'product' as unit_kind
    ) as unit_kinds
    union
    select
        'parent' as unit_kind,
        coalesce(parents.parent_id, movements.customer_id) as unit_id,
        movements.month_start
    from movements
    left join parents on movements.customer_id = parents.customer_id
    left join units
        on
            units.unit_kind = 'parent'
            and units.unit_id = coalesce(parents.parent_id, movements.customer_id)
            and units.month_start = {{ add_months(-1, 'movements.month_start') }}
    where units.unit_id is null
),

returned as (
    select distinct
        windows.unit_kind,
        windows.unit_id,
        windows.window_start,
        windows.window_end
    from windows
    inner join return_months
        on
            windows.unit_kind = return_months.unit_kind
            and windows.unit_id = return_months.unit_id
            and return_months.month_start > windows.window_start
            and return_months.month_start <= windows.window_end
),

windows_returned as (
    select
        windows.*,
        least(windows.opening_mrr, windows.closing_mrr) as retained_mrr,
        returned.unit_id is not null as has_returned
    from windows
    left join returned
        on
            windows.unit_kind = returned.unit_kind
            and windows.unit_id = returned.unit_id
            and windows.window_start = returned.window_start
            and windows.window_end = returned.window_end
)

select * from windows_returned
