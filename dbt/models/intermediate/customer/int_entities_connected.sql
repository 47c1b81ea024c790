with

batches as (
    select * from {{ ref('stg_ingest__batches') }}
),

{% for entity in entities() if entity.key %}
{{ entity.name }} as (
    select
        '{{ entity.name }}' as entity,
        min(known_from) as first_known_at
    from {{ ref(entity.model) }}
),

{% endfor -%}
events as (
    select
        'product_events' as entity,
        min(known_at) as first_known_at
    from {{ ref('stg_logins__product_events') }}
),

landed as (
    select
        entity,
        min(known_at) as first_known_at
    from batches
    where known_at <= {{ as_of_end() }}
    group by entity
),

first_moments as (
    {%- for entity in entities() if entity.key %}
    select * from {{ entity.name }}
    union all
    {%- endfor %}
    select * from events
    union all
    select * from landed
),

connected as (
    select
        entity,
        min(first_known_at) as connected_from
    from first_moments
    where first_known_at is not null
    group by entity
)

select * from connected
