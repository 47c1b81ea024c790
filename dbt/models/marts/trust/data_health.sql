with

night as (
    select * from {{ ref('stg_ingest__night') }}
),

deliveries as (
    select * from {{ ref('stg_ingest__deliveries') }}
),

alarms as (
    select * from {{ ref('stg_ingest__alarms') }}
),

entities_connected as (
    select * from {{ ref('int_entities_connected') }}
),

entities_orphaned as (
    select * from {{ ref('int_entities_orphaned') }}
),

-- A column of an entity is no source of its own.
connections as (
    select * from {{ ref('connections') }}
    where entity not like '%.%'
),

counted as (
    select
        entity,
        cast(sum(delivered) as bigint) as delivered,
        cast(sum(accepted) as bigint) as accepted,
        cast(sum(quarantined) as bigint) as quarantined,
        cast(sum(duplicate) as bigint) as duplicate,
        max(case when status != 'refused' then coalesce(delivered_on, admitted_on) end)
            as last_delivered_on
    from deliveries
    group by entity
),

refused as (
    select distinct entity
    from alarms
    where kind = 'file_refused'
),

measured as (
    select
        connections.entity,
        counted.delivered,
        counted.accepted,
        counted.quarantined,
        counted.duplicate,
        case
            when connections.is_connected then coalesce(entities_orphaned.orphaned, 0)
        end as orphaned,
        entities_connected.latest_event_at,
        counted.last_delivered_on,
        {{ divide(
            dbt.datediff(
                'coalesce(entities_connected.latest_event_at, case'
                ~ ' when counted.last_delivered_on > night.as_of_date then night.as_of_end else '
                ~ day_end('counted.last_delivered_on') ~ ' end)',
                'night.as_of_end',
                'second'
            ),
            '3600',
            'decimal(20, 2)'
        ) }} as freshness_hours,
        case
            when refused.entity is not null then 'refused'
            when not connections.is_connected then 'not_connected'
            when
                {{ elapsed_days('counted.last_delivered_on', 'night.as_of_date') }}
                > {{ var('stale_after_days') }}
                then 'stale'
            else 'fresh'
        end as status
    from connections
    cross join night
    left join counted on connections.entity = counted.entity
    left join refused on connections.entity = refused.entity
    left join entities_connected on connections.entity = entities_connected.entity
    left join entities_orphaned on connections.entity = entities_orphaned.entity
)

select * from measured
