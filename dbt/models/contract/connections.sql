with

batches as (
    select * from {{ ref('stg_ingest__batches') }}
),

entities as (
    {%- for entity in entities() %}
    select '{{ entity.name }}' as entity
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

landed as (
    select distinct entity
    from batches
    where known_at <= {{ as_of_end() }}
),

connections as (
    select
        entities.entity,
        landed.entity is not null as is_connected
    from entities
    left join landed on entities.entity = landed.entity
)

select * from connections
