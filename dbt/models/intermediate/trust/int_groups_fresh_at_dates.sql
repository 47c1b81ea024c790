with

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

batches as (
    select * from {{ ref('stg_ingest__batches') }}
),

entities_connected as (
    select * from {{ ref('int_entities_connected') }}
),

-- Lists of users come without their use, and answers to warnings without the CRM.
entities as (
    {%- for entity in entities()
        if entity.name not in ('tenants', 'product_users', 'features', 'playbook_runs') %}
    select
        '{{ entity.name }}' as entity,
        '{{ entity.group }}' as entity_group
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

deliveries as (
    select
        entities.entity_group,
        coalesce(batches.delivered_on, {{ company_date('batches.known_at') }}) as delivered_on,
        batches.known_at
    from batches
    inner join entities on batches.entity = entities.entity
),

last_deliveries as (
    select
        signal_dates.as_of_date,
        signal_dates.known_on,
        deliveries.entity_group,
        least(max(deliveries.delivered_on), signal_dates.as_of_date) as delivered_on
    from signal_dates
    inner join deliveries on deliveries.known_at <= signal_dates.known_until
    group by signal_dates.as_of_date, signal_dates.known_on, deliveries.entity_group
),

-- Before its first delivery a group is as fresh as the facts it carried back make believe.
carried_back as (
    select distinct
        signal_dates.as_of_date,
        signal_dates.known_on,
        entities.entity_group,
        signal_dates.as_of_date as delivered_on
    from signal_dates
    inner join entities_connected
        on entities_connected.connected_from <= signal_dates.known_until
    inner join entities on entities_connected.entity = entities.entity
),

stale_days as (
    select
        carried_back.as_of_date,
        carried_back.known_on,
        carried_back.entity_group,
        cast(
            {{ elapsed_days(
                'coalesce(last_deliveries.delivered_on, carried_back.delivered_on)',
                'carried_back.as_of_date'
            ) }} as bigint
        ) as stale_days
    from carried_back
    left join last_deliveries
        on
            carried_back.as_of_date = last_deliveries.as_of_date
            and carried_back.known_on = last_deliveries.known_on
            and carried_back.entity_group = last_deliveries.entity_group
),

groups_fresh as (
    select
        signal_dates.as_of_date,
        signal_dates.known_on,
        max(case when stale_days.entity_group = 'logins' then stale_days.stale_days end)
            as usage_stale_days,
        max(case when stale_days.entity_group = 'crm' then stale_days.stale_days end)
            as crm_stale_days,
        max(case when stale_days.entity_group = 'orders' then stale_days.stale_days end)
            as orders_stale_days
    from signal_dates
    left join stale_days
        on
            signal_dates.as_of_date = stale_days.as_of_date
            and signal_dates.known_on = stale_days.known_on
    group by signal_dates.as_of_date, signal_dates.known_on
)

select * from groups_fresh
