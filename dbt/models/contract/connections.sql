with

batches as (
    select * from {{ ref('stg_ingest__batches') }}
),

use_measures as (
    select * from {{ ref('int_use_measures') }}
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

-- Signals of users need events that name them.
connections as (
    select
        entities.entity,
        landed.entity is not null as is_connected
    from entities
    left join landed on entities.entity = landed.entity
    union all
    select
        'product_events.user_id' as entity,
        has_users as is_connected
    from use_measures
)

select * from connections
