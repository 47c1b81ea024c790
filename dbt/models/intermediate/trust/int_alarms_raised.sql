with

night as (
    select * from {{ ref('stg_ingest__night') }}
),

door_alarms as (
    select * from {{ ref('stg_ingest__alarms') }}
),

customers as (
    {{ current_rows(ref('stg_crm__customers')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

subscription_terms as (
    select * from {{ ref('subscription_terms') }}
),

user_days as (
    select * from {{ ref('int_user_days_rolled_up') }}
),

tenants as (
    {{ current_rows(ref('stg_logins__tenants')) }}
),

tenants_connected as (
    select count(*) > 0 as is_connected
    from {{ ref('int_entities_connected') }}
    where entity = 'tenants'
),

entities_orphaned as (
    select * from {{ ref('int_entities_orphaned') }}
),

deliveries as (
    select * from {{ ref('stg_ingest__deliveries') }}
),

data_health as (
    select * from {{ ref('data_health') }}
),

feed_days as (
    select * from {{ ref('int_feed_days_judged') }}
    where judged_by = 'tonight'
),

feed_volumes as (
    select * from {{ ref('int_feed_volumes_judged') }}
    where anomaly is not null
),

terms_running as (
    select
        subscription_terms.customer_id,
        sum(subscription_terms.arr) as arr
    from subscription_terms
    cross join night
    where
        subscription_terms.is_paid
        and (
            subscription_terms.effective_end is null
            or subscription_terms.effective_end > night.as_of_date
        )
    group by subscription_terms.customer_id
),

customers_vanished as (
    select
        'customer_vanished' as kind,
        'customers' as entity,
        customers.customer_id as alarm_key,
        {{ company_date('customers.vanished_at') }} as opened_on,
        'Customer ' || customers.customer_id || coalesce(' (' || customers.name || ')', '')
        || ' is gone from the delivery, with '
        || cast(cast(round(terms_running.arr, 0) as bigint) as varchar)
        || ' {{ var("company_currency") }} of ARR running.' as detail
    from customers
    inner join terms_running on customers.customer_id = terms_running.customer_id
    where customers.vanished_at is not null
),

unknown_user_days as (
    select user_days.*
    from user_days
    left join tenants on user_days.tenant_id = tenants.tenant_id
    where
        user_days.tenant_id is not null
        and user_days.customer_id is null
        and tenants.tenant_id is null
        and user_days.known_date <= {{ as_of_date() }}
),

tenants_counted as (
    select count(distinct tenant_id) as tenant_count from unknown_user_days
),

-- Where none was delivered, or many are unknown, that is one alarm.
tenants_unknown as (
    select
        'tenant_unknown' as kind,
        'product_events' as entity,
        case
            when tenants_connected.is_connected and tenants_counted.tenant_count <= 10
                then unknown_user_days.tenant_id
            else ''
        end as alarm_key,
        min(unknown_user_days.known_date) as opened_on,
        case
            when not tenants_connected.is_connected then 'No tenants were ever delivered: '
            when tenants_counted.tenant_count <= 10
                then 'Tenant ' || min(unknown_user_days.tenant_id) || ' belongs to no customer: '
            else
                cast(tenants_counted.tenant_count as varchar)
                || ' tenants belong to no customer, such as '
                || min(unknown_user_days.tenant_id) || ': '
        end
        || cast(sum(unknown_user_days.event_count) as varchar) || ' events of '
        || cast(count(distinct unknown_user_days.user_id) as varchar) || ' users wait for '
        || case
            when tenants_connected.is_connected and tenants_counted.tenant_count > 10 then 'them.'
            else 'it.'
        end as detail
    from unknown_user_days
    cross join tenants_connected
    cross join tenants_counted
    group by alarm_key, tenants_connected.is_connected, tenants_counted.tenant_count
),

delivered as (
    select
        entity,
        min(coalesce(delivered_on, admitted_on)) as first_delivered_on,
        min(case when quarantined > 0 then coalesce(delivered_on, admitted_on) end)
            as first_quarantined_on,
        sum(delivered) as delivered,
        sum(quarantined) as quarantined
    from deliveries
    where status != 'refused'
    group by entity
),

-- A refused file has an alarm of the door.
rows_quarantined as (
    select
        'rows_quarantined' as kind,
        delivered.entity,
        '' as alarm_key,
        least(delivered.first_quarantined_on, night.as_of_date) as opened_on,
        cast(delivered.quarantined as varchar) || ' of ' || cast(delivered.delivered as varchar)
        || ' rows of ' || delivered.entity
        || ' are in quarantine and count nowhere; `customer-health check` says why.' as detail
    from delivered
    cross join night
    where delivered.quarantined > {{ var('max_quarantined_share') }} * delivered.delivered
),

-- Often two systems write one id differently: nothing joins, and every table still looks complete.
rows_orphaned as (
    select
        'rows_orphaned' as kind,
        entities_orphaned.entity,
        '' as alarm_key,
        least(
            greatest(
                {{ company_date('entities_orphaned.orphaned_from') }},
                coalesce(
                    delivered.first_delivered_on,
                    {{ company_date('entities_orphaned.orphaned_from') }}
                )
            ),
            night.as_of_date
        ) as opened_on,
        cast(entities_orphaned.orphaned as varchar) || ' of '
        || cast(entities_orphaned.row_count as varchar) || ' rows of ' || entities_orphaned.entity
        || ' belong to nothing that was delivered, such as ' || entities_orphaned.missing_parent
        || ': are ids written alike on both sides?' as detail
    from entities_orphaned
    cross join night
    left join delivered on entities_orphaned.entity = delivered.entity
    where
        entities_orphaned.orphaned
        > {{ var('max_orphaned_share') }} * entities_orphaned.row_count
),

merges_in_circle as (
    select
        'merge_circle' as kind,
        'customers' as entity,
        customers_resolved.customer_id as alarm_key,
        {{ company_date('customers.known_from') }} as opened_on,
        'Customer ' || customers_resolved.customer_id
        || ' was merged in a circle and is kept by itself.' as detail
    from customers_resolved
    inner join customers on customers_resolved.customer_id = customers.customer_id
    where customers_resolved.is_in_circle
),

rates_missing as (
    select
        'rate_missing' as kind,
        'exchange_rates' as entity,
        currency as alarm_key,
        {{ company_date('min(known_at)') }} as opened_on,
        'No rate for ' || currency || ' when '
        || case when count(*) = 1 then 'a term' else cast(count(*) as varchar) || ' terms' end
        || ' began: MRR counts from the first rate on.' as detail
    from subscription_terms
    where is_rate_missing
    group by currency
),

sources_stale as (
    select
        'source_stale' as kind,
        data_health.entity,
        cast(data_health.last_delivered_on as varchar) as alarm_key,
        {{ add_days(var('stale_after_days') + 1, 'data_health.last_delivered_on') }} as opened_on,
        'No delivery of ' || data_health.entity || ' since '
        || cast(data_health.last_delivered_on as varchar) || '.' as detail
    from data_health
    where data_health.status = 'stale'
),

feeds_out as (
    select
        'feed_outage' as kind,
        'product_events' as entity,
        feed_days.feed || ' ' || cast(feed_days.outage_started_on as varchar) as alarm_key,
        feed_days.outage_started_on as opened_on,
        'Feed ' || feed_days.feed || ' brought ' || cast(feed_days.event_count as varchar)
        || ' events where ' || cast(cast(feed_days.event_count_usual as bigint) as varchar)
        || ' are usual: usage states keep their value.' as detail
    from feed_days
    inner join night on feed_days.activity_date = night.as_of_date
    where feed_days.is_outage
),

-- Days of an outage have its alarm.
volumes_unusual as (
    select
        'volume_unusual' as kind,
        'product_events' as entity,
        feed_volumes.feed || ' ' || cast(feed_volumes.activity_date as varchar) as alarm_key,
        feed_volumes.activity_date as opened_on,
        'Feed ' || feed_volumes.feed || ' brought '
        || case
            when feed_volumes.anomaly = 'repeated'
                then
                    cast(cast(round(100 * feed_volumes.repeated_share, 0) as bigint) as varchar)
                    || ' % exact repeats where '
                    || cast(
                        cast(round(100 * feed_volumes.repeated_share_usual, 0) as bigint) as varchar
                    ) || ' %'
            when feed_volumes.anomaly = 'intensity'
                then
                    cast(cast(feed_volumes.intensity as decimal(18, 1)) as varchar)
                    || ' events per user where '
                    || cast(cast(feed_volumes.intensity_usual as decimal(18, 1)) as varchar)
            else
                cast(feed_volumes.event_count as varchar) || ' events by the end of the day where '
                || cast(cast(feed_volumes.event_count_usual as bigint) as varchar)
        end || ' are usual.' as detail
    from feed_volumes
    inner join night
        on
            feed_volumes.activity_date <= night.as_of_date
            and feed_volumes.activity_date
            > {{ add_days(-var('anomaly_alarm_days'), 'night.as_of_date') }}
    where
        not exists (
            select 1 from feed_days
            where
                feed_days.feed = feed_volumes.feed
                and feed_days.activity_date = feed_volumes.activity_date
                and feed_days.is_outage
        )
),

fact_alarms as (
    select * from customers_vanished
    union all
    select * from tenants_unknown
    union all
    select * from rows_quarantined
    union all
    select * from rows_orphaned
    union all
    select * from merges_in_circle
    union all
    select * from rates_missing
    union all
    select * from sources_stale
    union all
    select * from feeds_out
    union all
    select * from volumes_unusual
),

alarms as (
    select
        alarm_id,
        kind,
        entity,
        opened_on,
        detail
    from door_alarms
    union all
    select
        md5(kind || '|' || entity || '|' || alarm_key) as alarm_id,
        kind,
        entity,
        opened_on,
        detail
    from fact_alarms
)

select * from alarms
