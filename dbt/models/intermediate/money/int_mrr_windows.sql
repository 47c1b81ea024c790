with

valued as (
    select * from {{ ref('int_terms_valued_monthly') }}
),

customers_described as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null
),

-- Who had been away for longer than the grace returns on the day the next term begins.
returns as (
    select
        customer_id,
        run_start as returned_on
    from {{ ref('int_customers_paid_runs') }}
    where
        measure = 'mrr'
        and run_start > {{ add_days('previous_grace_days', 'previous_run_end') }}
),

months as (
    select distinct month_start from valued
),

spans as (
    {% for window_months in [1, 3, 12] -%}
    select cast({{ window_months }} as bigint) as window_months
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

month_pairs as (
    select
        spans.window_months,
        months.month_start as opening_month,
        {{ add_months('cast(spans.window_months as int)', 'months.month_start') }} as closing_month,
        {{ month_end('months.month_start') }} as window_start,
        {{ month_end(add_months('cast(spans.window_months as int)', 'months.month_start')) }}
            as window_end
    from months
    cross join spans
    where
        {{ month_end(add_months('cast(spans.window_months as int)', 'months.month_start')) }}
        <= {{ as_of_date() }}
),

parents_0 as (
    select
        customer_id,
        parent_customer_id as group_id
    from customers_described
    where parent_customer_id != customer_id
),

-- A group may belong to a group: each round doubles the steps up, four make sixteen.
{% for round in range(4) %}
parents_{{ round + 1 }} as (
    select
        children.customer_id,
        coalesce(further.group_id, children.group_id) as group_id
    from parents_{{ round }} as children
    left join parents_{{ round }} as further on children.group_id = further.customer_id
),
{% endfor %}
-- Who belongs to a circle has no top, and stands for itself: nobody's money counts twice.
grouped as (
    select * from parents_4
    where not exists (select 1 from parents_0 where parents_0.customer_id = parents_4.group_id)
),

members as (
    select
        customer_id,
        group_id
    from grouped
    union
    select
        group_id as customer_id,
        group_id
    from grouped
),

customers_valued as (
    select
        customer_id,
        currency,
        month_start,
        sum(contract_mrr) as contract_mrr,
        sum(mrr) as mrr
    from valued
    group by customer_id, currency, month_start
),

units as (
    select
        'account' as unit_kind,
        customer_id as unit_id,
        '' as product_id,
        currency,
        month_start,
        contract_mrr,
        mrr
    from customers_valued
    union all
    select
        'group' as unit_kind,
        members.group_id as unit_id,
        '' as product_id,
        customers_valued.currency,
        customers_valued.month_start,
        sum(customers_valued.contract_mrr) as contract_mrr,
        sum(customers_valued.mrr) as mrr
    from customers_valued
    inner join members on customers_valued.customer_id = members.customer_id
    group by members.group_id, customers_valued.currency, customers_valued.month_start
    union all
    select
        'product' as unit_kind,
        customer_id as unit_id,
        product_key as product_id,
        currency,
        month_start,
        contract_mrr,
        mrr
    from valued
),

units_monthly as (
    select
        unit_kind,
        unit_id,
        product_id,
        month_start,
        sum(mrr) as mrr,
        count(mrr) < count(*) as is_rate_missing,
        sum(case when currency = '{{ var("company_currency") }}' then mrr else 0 end) as own_mrr
    from units
    group by unit_kind, unit_id, product_id, month_start
),

foreign_rates as (
    {{ rates_of_days(ref('int_exchange_rates_dated'), "(
        select
            units.currency,
            month_pairs.window_start
        from units
        inner join month_pairs on units.month_start = month_pairs.closing_month
        where units.currency != '" ~ var('company_currency') ~ "'
    ) as foreign_days", 'currency', 'window_start') }}
),

-- What is held in other currencies at the end, at the rate of the opening (at its own day's where
-- the opening has none): rates move neither GRR nor NRR.
closing_in_other_currencies as (
    select
        units.unit_kind,
        units.unit_id,
        units.product_id,
        month_pairs.window_months,
        month_pairs.opening_month,
        sum(
            coalesce(
                cast(units.contract_mrr * foreign_rates.rate as decimal(38, 10)), units.mrr
            )
        ) as mrr
    from units
    inner join month_pairs on units.month_start = month_pairs.closing_month
    left join foreign_rates
        on
            units.currency = foreign_rates.currency
            and month_pairs.window_start = foreign_rates.rate_day
    where units.currency != '{{ var("company_currency") }}'
    group by
        units.unit_kind,
        units.unit_id,
        units.product_id,
        month_pairs.window_months,
        month_pairs.opening_month
),

-- Money without a rate at either end leaves the closing of whoever stays unknown: nobody lost it.
windows as (
    select
        openings.unit_kind,
        openings.unit_id,
        openings.product_id,
        month_pairs.window_months,
        month_pairs.window_start,
        month_pairs.window_end,
        cast(openings.mrr as decimal(38, 10)) as opening_mrr,
        closings.unit_id is not null as is_retained,
        cast(
            case
                when closings.unit_id is null then 0
                when not openings.is_rate_missing and not closings.is_rate_missing
                    then closings.own_mrr + coalesce(closing_in_other_currencies.mrr, 0)
            end as decimal(38, 10)
        ) as closing_mrr
    from units_monthly as openings
    inner join month_pairs on openings.month_start = month_pairs.opening_month
    left join units_monthly as closings
        on
            openings.unit_kind = closings.unit_kind
            and openings.unit_id = closings.unit_id
            and openings.product_id = closings.product_id
            and month_pairs.closing_month = closings.month_start
    left join closing_in_other_currencies
        on
            openings.unit_kind = closing_in_other_currencies.unit_kind
            and openings.unit_id = closing_in_other_currencies.unit_id
            and openings.product_id = closing_in_other_currencies.product_id
            and month_pairs.window_months = closing_in_other_currencies.window_months
            and month_pairs.opening_month = closing_in_other_currencies.opening_month
    where openings.mrr > 0
),

unit_kinds as (
    select 'account' as unit_kind
    union all
    select 'product' as unit_kind
),

-- A group returns when one of its accounts does and the group had no MRR at the month's opening.
return_days as (
    select
        unit_kinds.unit_kind,
        returns.customer_id as unit_id,
        returns.returned_on
    from returns
    cross join unit_kinds
    union
    select
        'group' as unit_kind,
        members.group_id as unit_id,
        returns.returned_on
    from returns
    inner join members on returns.customer_id = members.customer_id
    where
        not exists (
            select 1 from units_monthly
            where
                units_monthly.unit_kind = 'group'
                and units_monthly.unit_id = members.group_id
                and units_monthly.month_start
                = {{ add_months(-1, month_start('returns.returned_on')) }}
        )
),

returned as (
    select distinct
        return_days.unit_kind,
        return_days.unit_id,
        month_pairs.window_months,
        month_pairs.window_start
    from return_days
    inner join month_pairs
        on
            return_days.returned_on > month_pairs.window_start
            and return_days.returned_on <= month_pairs.window_end
),

windows_returned as (
    select
        windows.*,
        case
            when windows.closing_mrr < windows.opening_mrr then windows.closing_mrr
            when windows.closing_mrr is not null then windows.opening_mrr
        end as retained_mrr,
        returned.unit_id is not null as has_returned,
        windows.unit_kind = 'account' and members.customer_id is not null as is_in_group
    from windows
    left join members on windows.unit_id = members.customer_id
    left join returned
        on
            windows.unit_kind = returned.unit_kind
            and windows.unit_id = returned.unit_id
            and windows.window_months = returned.window_months
            and windows.window_start = returned.window_start
)

select * from windows_returned
