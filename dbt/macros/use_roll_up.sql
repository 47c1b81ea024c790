{% macro text_literal(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}

{# Is the event one of this configured group? An empty group has no members. #}
{% macro in_event_group(column, group) -%}
    {%- if var(group) -%}
        {%- set names = [] -%}
        {%- for name in var(group) -%}
            {%- do names.append(text_literal(name)) -%}
        {%- endfor -%}
        {{ column }} in ({{ names | join(', ') }})
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{# The day on which a use was known, never before it happened. #}
{% macro known_date() -%}
    greatest(activity_date, coalesce(known_date, activity_date))
{%- endmacro %}

{# What a roll-up depends on besides the events: another definition rolls every batch up anew. #}
{% macro use_definition() -%}
    {%- set knobs = [] -%}
    {%- for name in [
        'company_zone', 'core_events', 'value_events', 'help_events', 'excluded_events',
        'login_event'
    ] -%}
        {%- do knobs.append(name ~ '=' ~ tojson(var(name))) -%}
    {%- endfor -%}
    (
        select md5(concat('{{ local_md5(knobs | join(";")) }}', coalesce({{
            dbt.listagg('core_features.feature', "','", 'order by core_features.feature')
        }}, '')))
        from {{ ref('int_core_features') }} as core_features
    )
{%- endmacro %}

{# Before a roll-up: forget the batches that are no longer active or were rolled up otherwise. #}
{% macro forget_rolled_up_batches() -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where
        definition != {{ use_definition() }}
        or batch_id not in (
            select batches.batch_id from {{ ref('stg_ingest__batches') }} as batches
            where batches.entity = 'product_events'
        )
    {%- else -%}
    select 1
    {%- endif -%}
{%- endmacro %}

{# Batches of events that this roll-up does not hold yet: from the ledger, never "yesterday". #}
{% macro batches_to_roll_up() -%}
    select batches.batch_id
    from {{ ref('stg_ingest__batches') }} as batches
    where
        batches.entity = 'product_events'
        {%- if is_incremental() %}
        and not exists (
            select 1 from {{ this }} as rolled_up where rolled_up.batch_id = batches.batch_id
        )
        {%- endif %}
{%- endmacro %}
