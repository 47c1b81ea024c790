with

entities_connected as (
    select * from {{ ref('int_entities_connected') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

customers_described as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null and is_in_crm
),

tenant_days as (
    select * from {{ ref('int_tenant_days_rolled_up') }}
),

tenants_there as (
    {{ current_rows(ref('stg_logins__tenants')) }}
),

-- A customer is there under its own id, under one it was merged from, or under one of another
-- system that stands for it.
parents_customers as (
    select customers_resolved.customer_id as parent_id
    from customers_resolved
    inner join customers_described
        on customers_resolved.resolved_customer_id = customers_described.customer_id
),

{% set parent_keys = {
    'employees': ['stg_crm__employees', 'employee_id'],
    'opportunities': ['stg_crm__opportunities', 'opportunity_id'],
    'orders': ['stg_orders__orders', 'order_id'],
    'order_lines': ['stg_orders__order_lines', 'order_line_id'],
    'products': ['stg_orders__products', 'product_id'],
    'services': ['stg_orders__services', 'service_id'],
} %}
{% for parent, place in parent_keys.items() %}
parents_{{ parent }} as (
    select distinct {{ place[1] }} as parent_id from {{ ref(place[0]) }}
),

{% endfor -%}
{% for entity in entities() if entity.parents %}
{{ entity.name }}_judged as (
    select
        children.known_from,
        case
            {%- for column, parent in entity.parents %}
            when
                children.{{ column }} is not null
                and parents_{{ parent }}.parent_id is null
                and connected_{{ parent }}.entity is not null
                then '{{ column }} ' || children.{{ column }}
            {%- endfor %}
        end as missing_parent
    from {{ ref(entity.model) }} as children
    {% for column, parent in entity.parents %}
    left join entities_connected as connected_{{ parent }}
        on connected_{{ parent }}.entity = '{{ parent }}'
    left join parents_{{ parent }}
        on children.{{ column }} = parents_{{ parent }}.parent_id
    {% endfor %}
    where children.known_to is null
),

{{ entity.name }} as (
    select
        '{{ entity.name }}' as entity,
        count(*) as row_count,
        count(missing_parent) as orphaned,
        min(missing_parent) as missing_parent,
        min(case when missing_parent is not null then known_from end) as orphaned_from
    from {{ entity.name }}_judged
),

{% endfor -%}
-- Events are counted as rolled up: those of excluded types are no use, and not looked for.
product_events as (
    select
        'product_events' as entity,
        cast(null as bigint) as row_count,
        cast(coalesce(sum(tenant_days.event_count), 0) as bigint) as orphaned,
        cast(null as varchar) as missing_parent,
        cast(null as timestamptz) as orphaned_from
    from tenant_days
    left join tenants_there on tenant_days.tenant_id = tenants_there.tenant_id
    where
        tenant_days.tenant_id is not null
        and tenant_days.customer_id is null
        and tenants_there.tenant_id is null
        and tenant_days.known_date <= {{ as_of_date() }}
),

orphaned as (
    {%- for entity in entities() if entity.parents %}
    select * from {{ entity.name }}
    union all
    {%- endfor %}
    select * from product_events
)

select * from orphaned
