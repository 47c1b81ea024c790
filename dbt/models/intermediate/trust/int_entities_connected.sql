with

batches as (
    select * from {{ ref('stg_ingest__batches') }}
),

{% for entity in entities() %}
{{ entity.name }} as (
    select
        '{{ entity.name }}' as entity,
        min({{ known_moment(entity) }}) as first_known_at,
        {{ latest_event(entity) }} as latest_event_at
    from {{ ref(entity.model) }}
),

{% endfor -%}
facts as (
    {%- for entity in entities() %}
    select * from {{ entity.name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

landed as (
    select
        entity,
        min(known_at) as first_known_at
    from batches
    where known_at <= {{ as_of_end() }}
    group by entity
),

-- Facts that a first load carried back count from when they happened; a delivery without any row
-- connects from its own day.
connected as (
    select
        facts.entity,
        coalesce(facts.first_known_at, landed.first_known_at) as connected_from,
        facts.latest_event_at
    from facts
    left join landed on facts.entity = landed.entity
    where facts.first_known_at is not null or landed.first_known_at is not null
),

-- What is paid of no order tells neither what is paid nor what is owed.
connected_to_orders as (
    select * from connected
    where
        entity != 'payments'
        or exists (select 1 from connected as orders where orders.entity = 'orders')
)

select * from connected_to_orders
