{# Entries of one kind for customer_timeline, from the rows of an entity known tonight. `kind` and the
   `columns` (key, actor, mode, channel, summary) are names or expressions; a moment that `is_day`
   is a date. #}
{% macro timeline_entries(entity, kind, relation, moment, columns) -%}
    select
        {{ columns.get('customer', 'customer_id') }} as customer_id,
        {{ day_start(moment) if columns.get('is_day') else moment }} as occurred_at,
        {{ kind if ' ' in kind or '(' in kind else text_literal(kind) }} as kind,
        '{{ entity }}' as source_entity,
        {{ columns['key'] }} as source_key,
        cast({{ columns.get('actor', 'null') }} as varchar) as actor_id,
        cast({{ columns.get('mode', 'null') }} as varchar) as mode,
        cast({{ columns.get('channel', 'null') }} as varchar) as channel,
        cast({{ columns.get('summary', 'null') }} as varchar) as summary
    from {{ relation }}
    where known_to is null and {{ moment }} is not null
{%- endmacro %}

{# Money as a person reads it: two places, and the currency where it is known. #}
{% macro written_amount(amount, currency) -%}
    cast(cast({{ amount }} as decimal(38, 2)) as varchar) || coalesce(' ' || {{ currency }}, '')
{%- endmacro %}
