with

adjustments as (
    select * from {{ ref('int_adjustments_judged') }}
    where effect not in ('applied', 'exception')
),

adjustment_without_effect as (
    select
        cast(null as varchar) as customer_id,
        cast(null as varchar) as line_id,
        'adjustments' as entity,
        adjustment_id as entity_key,
        dated_on as happened_on,
        author || ' set ' || column_name || ' of ' || entity || ' ' || entity_key || ' to ' || value
        || case effect
            when 'entity_unknown' then ': rows of this entity cannot be adjusted.'
            when 'column_unknown' then ': this column cannot be adjusted.'
            when 'row_unknown' then ': there is no such row.'
            when 'value_unreadable' then ': the value is not of the type of its column.'
            when 'overtaken' then ': a later adjustment says otherwise.'
        end as detail
    from adjustments
)

select * from adjustment_without_effect
