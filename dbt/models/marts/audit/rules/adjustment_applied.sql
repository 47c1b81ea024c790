with

adjustments as (
    select * from {{ ref('int_adjustments_judged') }}
    where effect = 'applied'
),

lines as (
    select * from {{ ref('int_lines_audited') }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

adjustment_applied as (
    select
        coalesce(lines.customer_id, orders.customer_id) as customer_id,
        lines.line_id,
        'adjustments' as entity,
        adjustments.adjustment_id as entity_key,
        adjustments.dated_on as happened_on,
        adjustments.author || ' set ' || adjustments.column_name || ' of ' || adjustments.entity
        || ' ' || adjustments.entity_key || ' to ' || adjustments.value || ': '
        || adjustments.reason as detail
    from adjustments
    left join lines
        on
            adjustments.entity = lines.entity
            and adjustments.entity_key = lines.entity_key
    left join orders
        on adjustments.entity = 'orders' and adjustments.entity_key = orders.order_id
)

select * from adjustment_applied
