with

months as (
    select
        *,
        {{ month_end(add_months(-1, 'month_start')) }} as opening_date,
        {{ month_end(add_months(-12, 'month_start')) }} as year_opening_date
    from {{ ref('int_months') }}
    where is_closed
),

as_closed as (
    select * from {{ ref('int_customers_mrr_as_closed') }}
),

customer_mrr as (
    select * from {{ ref('customer_mrr_monthly') }}
),

movements as (
    select * from {{ ref('mrr_movements') }}
),

retention_customers as (
    select * from {{ ref('retention_customers_monthly') }}
    where window_months = 12 and closing_mrr is not null
),

renewals_compared as (
    select * from {{ ref('int_renewals_compared') }}
),

-- What each customer adds to each measure, as closed and as known now; of a ratio also to its base.
{% set is_of_year
    = "case when year_opening_mrr > 0 and closing_mrr_at_year_opening is not null then" -%}
{% set contributions = [
    ('as_closed', 'month_start', "'opening_mrr'", 'opening_mrr', 0),
    ('as_closed', 'month_start', "'closing_mrr'", 'closing_mrr', 0),
    ('as_closed', 'month_start', "'currency_effect'", 'currency_effect', 0),
    ('as_closed', 'month_start', 'kind', 'amount', 0),
    ('as_closed', 'month_start', is_of_year ~ " 'grr_12m' end",
        'least(closing_mrr_at_year_opening, year_opening_mrr)', 0, 'year_opening_mrr', 0),
    ('as_closed', 'month_start', is_of_year ~ " 'nrr_12m' end",
        'closing_mrr_at_year_opening', 0, 'year_opening_mrr', 0),
    ('customer_mrr', 'month_start', "'closing_mrr'", 0, 'mrr'),
    ('customer_mrr', add_months(1, 'month_start'), "'opening_mrr'", 0, 'mrr'),
    ('movements', 'month_start', "case kind when 'currency' then 'currency_effect' else kind end",
        0, 'amount'),
    ('retention_customers', month_start('window_end'), "'grr_12m'",
        0, 'retained_mrr', 0, 'opening_mrr'),
    ('retention_customers', month_start('window_end'), "'nrr_12m'",
        0, 'closing_mrr', 0, 'opening_mrr'),
    ('renewals_compared', 'month_start', "'due_arr'", 'closed_due', 'due_now'),
    ('renewals_compared', 'month_start', "'renewed_arr'", 'closed_kept', 'kept_now'),
] -%}
parts as (
    {% for part in contributions -%}
    {% set bases = part[5:] or ('null', 'null') -%}
    select
        {{ part[1] }} as month_start,
        {{ part[2] }} as measure,
        customer_id,
        {{ part[3] }} as closed_amount,
        coalesce({{ part[4] }}, 0) as amount_now,
        cast({{ bases[0] }} as decimal(38, 10)) as closed_base,
        cast({{ bases[1] }} as decimal(38, 10)) as base_now
    from {{ part[0] }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

customers_compared as (
    select
        parts.month_start,
        parts.measure,
        parts.customer_id,
        sum(parts.closed_amount) as closed_amount,
        sum(parts.amount_now) as amount_now,
        sum(parts.closed_base) as closed_base,
        sum(parts.base_now) as base_now,
        abs(sum(parts.amount_now) - sum(parts.closed_amount))
        + coalesce(abs(sum(parts.base_now) - sum(parts.closed_base)), 0) as difference
    from parts
    inner join months on parts.month_start = months.month_start
    where parts.measure is not null
    group by parts.month_start, parts.measure, parts.customer_id
),

measures_compared as (
    select
        month_start,
        measure,
        case
            when sum(closed_base) is null then sum(closed_amount)
            else {{ divide('sum(closed_amount)', 'sum(closed_base)') }}
        end as as_closed,
        case
            when sum(base_now) is null then sum(amount_now)
            else {{ divide('sum(amount_now)', 'sum(base_now)') }}
        end as as_known_now,
        case when sum(closed_base) is null then 0.005 else 0.00005 end as tolerance,
        max_by(customer_id, (difference, customer_id)) as customer_id
    from customers_compared
    group by month_start, measure
),

restated as (
    select
        measures_compared.month_start,
        measures_compared.measure,
        cast(measures_compared.as_closed as decimal(38, 10)) as as_closed,
        cast(measures_compared.as_known_now as decimal(38, 10)) as as_known_now,
        measures_compared.customer_id,
        months.closed_at,
        case
            when measures_compared.measure = 'opening_mrr' then months.opening_date
            when measures_compared.measure not in ('due_arr', 'renewed_arr') then months.month_end
        end as value_date,
        case
            when measures_compared.measure in ('grr_12m', 'nrr_12m') then months.year_opening_date
            when
                measures_compared.measure
                not in ('opening_mrr', 'closing_mrr', 'due_arr', 'renewed_arr')
                then months.opening_date
        end as compared_date
    from measures_compared
    inner join months on measures_compared.month_start = months.month_start
    where
        abs(
            coalesce(measures_compared.as_known_now, 0) - coalesce(measures_compared.as_closed, 0)
        ) >= measures_compared.tolerance
)

select * from restated
