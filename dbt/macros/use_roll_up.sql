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

{# The counts of a roll-up, summed up. #}
{% macro sum_use_counts(relation, type) -%}
    {%- for count in [
        'event_count', 'repeated_event_count', 'login_count', 'core_action_count',
        'value_action_count', 'help_view_count'
    ] -%}
    cast(sum({{ relation }}.{{ count }}) as {{ type }}) as {{ count }},
        {% endfor -%}
    cast(sum({{ relation }}.duration_seconds) as bigint) as duration_seconds
{%- endmacro %}

{# Rows of a roll-up that are known tonight, under the customer of their tenant; the use of a tenant
   that belongs to nobody waits for it: it is known from the day the tenant's customer is. #}
{% macro uses_of_customers(roll_up, columns) -%}
    select
        customers.resolved_customer_id as customer_id,
        {% for column in columns if column != 'known_date' -%}
        rolled_up.{{ column }},
        {% endfor -%}
        greatest(rolled_up.known_date, tenants.assigned_on) as known_date
    from {{ roll_up }} as rolled_up
    left join (
        select
            tenant_id,
            customer_id,
            {{ company_date('described_from') }} as assigned_on
        from {{ ref('stg_logins__tenants') }}
        where known_to is null
    ) as tenants on rolled_up.tenant_id = tenants.tenant_id
    inner join {{ ref('int_customers_resolved') }} as customers
        on coalesce(tenants.customer_id, rolled_up.customer_id) = customers.customer_id
    where
        rolled_up.known_date <= {{ as_of_date() }}
        and rolled_up.activity_date <= {{ as_of_date() }}
{%- endmacro %}

{# What a roll-up depends on besides the events: another definition rolls every batch up anew. #}
{% macro use_definition() -%}
    {%- set knobs = ['layout=2'] -%}
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

{# A short name for a value that changes when the value does. #}
{% macro fingerprint(value) -%}
    {{ local_md5(tojson(value))[:8] }}
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
