with

lines as (
    select distinct
        line_id,
        order_line_id,
        order_id,
        subscription_id
    from {{ ref('int_contract_lines_priced') }}
),

adjustments as (
    select * from {{ ref('int_adjustments_judged') }}
    where effect = 'applied'
),

{% set keys = {
    'order_lines': 'order_line_id', 'subscriptions': 'subscription_id', 'orders': 'order_id',
} -%}
-- What finance put right stands before the row it was put in.
told_of_lines as (
    {% for entity, key in keys.items() -%}
    select
        lines.line_id,
        'adjustments' as entity,
        adjustments.adjustment_id as entity_key,
        0 as entity_rank,
        adjustments.known_from
    from lines
    inner join adjustments
        on
            lines.{{ key }} = adjustments.entity_key
            and adjustments.entity = '{{ entity }}'
    union all
    select
        lines.line_id,
        '{{ entity }}' as entity,
        lines.{{ key }} as entity_key,
        {{ loop.index }} as entity_rank,
        told.known_from
    from lines
    inner join {{ ref('int_' ~ entity ~ '_adjusted') }} as told on lines.{{ key }} = told.{{ key }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

lines_corrected as (
    select
        line_id,
        entity,
        entity_key,
        entity_rank,
        max(known_from) as learnt_at
    from told_of_lines
    group by line_id, entity, entity_key, entity_rank
)

select * from lines_corrected
