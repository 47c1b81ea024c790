with

alarms as (
    select * from {{ ref('int_alarms_raised') }}
),

warnings as (
    select * from {{ source('scores', 'churn_warnings') }}
    where status != 'closed'
),

-- The feed that the scores know each group of entities by.
feeds as (
    {%- for entity in entities() if entity.group in ['crm', 'orders', 'logins'] %}
    select
        '{{ entity.name }}' as entity,
        '{{ 'usage' if entity.group == 'logins' else entity.group }}' as feed
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

warnings_held as (
    select
        feeds.feed,
        count(*) as warning_count
    from (select distinct feed from feeds) as feeds
    inner join warnings on ', ' || warnings.held_by || ',' like '%, ' || feeds.feed || ',%'
    group by feeds.feed
),

data_alarms as (
    select
        alarms.alarm_id,
        alarms.kind,
        alarms.entity,
        alarms.opened_on,
        alarms.detail,
        case
            when
                alarms.kind in (
                    'feed_outage', 'source_stale', 'source_unreachable', 'file_refused'
                )
                then coalesce(warnings_held.warning_count, 0)
            else 0
        end as held_warning_count
    from alarms
    left join feeds on alarms.entity = feeds.entity
    left join warnings_held on feeds.feed = warnings_held.feed
)

select * from data_alarms
