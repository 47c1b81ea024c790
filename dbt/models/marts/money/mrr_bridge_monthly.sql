with

customer_mrr as (
    select * from {{ ref('customer_mrr_monthly') }}
),

movements as (
    select * from {{ ref('mrr_movements') }}
),

closings as (
    select
        month_start,
        cast(sum(mrr) as decimal(38, 10)) as closing_mrr
    from customer_mrr
    group by month_start
),

{% set kinds = [
    'new', 'reactivation', 'late_renewal', 'expansion', 'contraction', 'churn', 'currency'
] -%}
moved as (
    select
        month_start
        {%- for kind in kinds %},
        cast(sum(case when kind = '{{ kind }}' then amount else 0 end) as decimal(38, 10))
            as {{ 'currency_effect' if kind == 'currency' else kind }}
        {%- endfor %}
    from movements
    group by month_start
),

mrr_bridge_monthly as (
    select
        closings.month_start,
        coalesce(
            lag(closings.closing_mrr) over (order by closings.month_start),
            cast(0 as decimal(38, 10))
        ) as opening_mrr,
        {% for kind in kinds -%}
        {% set column = 'currency_effect' if kind == 'currency' else kind -%}
        coalesce(moved.{{ column }}, cast(0 as decimal(38, 10))) as {{ column }},
        {% endfor -%}
        closings.closing_mrr
    from closings
    left join moved on closings.month_start = moved.month_start
)

select * from mrr_bridge_monthly
