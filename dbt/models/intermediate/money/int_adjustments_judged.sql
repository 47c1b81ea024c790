{%- set places = adjustable_columns() -%}
with

adjustments as (
    select * from {{ ref('stg_finance__adjustments') }}
    where known_to is null and vanished_at is null
),

{% for entity, place in places.items() %}
{{ entity }} as (
    select
        '{{ entity }}' as entity,
        {{ place.key }} as entity_key
    from {{ ref(place.model) }}
    where known_to is null
),

{% endfor -%}
rows_there as (
    {% for entity in places -%}
    select * from {{ entity }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

columns_there as (
    {% for entity, place in places.items() -%}
    {% set last_entity = loop.last -%}
    {% for column, type in place.columns.items() -%}
    select
        '{{ entity }}' as entity,
        '{{ column }}' as column_name,
        '{{ type.split('(')[0] }}' as column_type
    {{ 'union all' if not (loop.last and last_entity) }}
    {% endfor -%}
    {% endfor %}
),

matched as (
    select
        adjustments.*,
        adjustments.entity in ({{ in_list(places) }}) as is_entity_adjustable,
        rows_there.entity_key is not null as has_row,
        columns_there.column_type,
        case columns_there.column_type
            when 'decimal' then try_cast(adjustments.value as decimal(20, 6)) is not null
            when 'date' then try_cast(adjustments.value as date) is not null
            when 'timestamptz' then try_cast(adjustments.value as timestamptz) is not null
            when 'boolean' then try_cast(adjustments.value as boolean) is not null
            else true
        end as is_readable
    from adjustments
    left join rows_there
        on
            adjustments.entity = rows_there.entity
            and adjustments.entity_key = rows_there.entity_key
    left join columns_there
        on
            adjustments.entity = columns_there.entity
            and adjustments."column" = columns_there.column_name
),

judged as (
    select
        adjustment_id,
        author,
        reason,
        dated_on,
        entity,
        entity_key,
        "column" as column_name,
        value,
        known_from,
        case
            when entity = 'rule_audit' then 'exception'
            when not is_entity_adjustable then 'entity_unknown'
            when column_type is null then 'column_unknown'
            when not has_row then 'row_unknown'
            when not is_readable then 'value_unreadable'
            when
                row_number() over (
                    partition by entity, entity_key, "column", is_readable
                    order by dated_on desc, adjustment_id desc
                ) > 1
                then 'overtaken'
            else 'applied'
        end as effect
    from matched
)

select * from judged
