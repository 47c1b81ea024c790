with

customer_mrr as (
    select * from {{ ref('customer_mrr_monthly') }}
),

movements as (
    select * from {{ ref('mrr_movements') }}
),

-- MRR without a rate has no part in the total.
closings as (
    select
        month_start,
        cast(coalesce(sum(mrr), 0) as decimal(38, 10)) as closing_mrr
    from customer_mrr
    group by month_start
),

{% set columns = {
    'new': 'new',
    'reactivation': 'reactivation',
    'late_renewal': 'late_renewal',
    'expansion': 'expansion',
    'contraction': 'contraction',
    'churn': 'churn',
    'currency': 'currency_effect',
} -%}
moved as (
    select
        {% for kind, column in columns.items() -%}
        cast(sum(case when kind = '{{ kind }}' then amount else 0 end) as decimal(38, 10))
            as {{ column }},
        {% endfor -%}
        month_start
    from movements
    group by month_start
),

mrr_bridge_monthly as (
    select
        closings.month_start,
        lag(closings.closing_mrr, 1, cast(0 as decimal(38, 10)))
            over (order by closings.month_start) as opening_mrr,
        {% for column in columns.values() -%}
        coalesce(moved.{{ column }}, cast(0 as decimal(38, 10))) as {{ column }},
        {% endfor -%}
        closings.closing_mrr
    from closings
    left join moved on closings.month_start = moved.month_start
)

select * from mrr_bridge_monthly
