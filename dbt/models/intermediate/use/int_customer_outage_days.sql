with

batches as (
    select * from {{ ref('stg_ingest__batches') }}
),

feed_days as (
    select * from {{ ref('int_feed_days_judged') }}
),

calendar as (
    select * from {{ ref('calendar') }}
),

use_by_feed as (
    select
        joined.customer_id,
        batches.source as feed,
        min(joined.activity_date) as first_date,
        min(
            case
                when joined.known_date <= {{ week_end('joined.activity_date') }}
                    then joined.activity_date
            end
        ) as first_date_in_week
    from (
        {{ uses_of_customers(
            ref('int_tenant_days_rolled_up'), ['batch_no', 'activity_date', 'known_date']
        ) }}
    ) as joined
    inner join batches on joined.batch_no = batches.batch_no
    group by joined.customer_id, batches.source
),

customer_feeds as (
    select
        customer_id,
        feed,
        'tonight' as judged_by,
        first_date
    from use_by_feed
    union all
    select
        customer_id,
        feed,
        'in_week' as judged_by,
        first_date_in_week as first_date
    from use_by_feed
    where first_date_in_week is not null
),

outages as (
    select distinct
        feed,
        judged_by,
        outage_started_on
    from feed_days
    where is_outage
),

baseline_days as (
    select distinct calendar.calendar_date
    from calendar
    inner join outages
        on
            calendar.calendar_date < outages.outage_started_on
            and calendar.calendar_date >= {{ plus_days(
                'outages.outage_started_on', -7 * var('outage_baseline_weeks')
            ) }}
),

joined as (
    {{ uses_of_customers(
        ref('int_tenant_days_rolled_up'),
        ['batch_no', 'activity_date', 'known_date', 'event_count'],
        'activity_date in (select baseline_days.calendar_date from baseline_days)'
    ) }}
),

customer_feed_days as (
    {% for judged_by, known in [
        ('tonight', 'true'), ('in_week', 'joined.known_date <= ' ~ week_end('joined.activity_date'))
    ] -%}
    select
        joined.customer_id,
        batches.source as feed,
        '{{ judged_by }}' as judged_by,
        joined.activity_date,
        sum(joined.event_count) as event_count
    from joined
    inner join batches on joined.batch_no = batches.batch_no
    where {{ known }}
    group by joined.customer_id, batches.source, joined.activity_date
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- What share of a customer's use came by the feed in the weeks before it went out.
shares as (
    select
        customer_feed_days.customer_id,
        outages.feed,
        outages.judged_by,
        outages.outage_started_on,
        {{ divide(
            'sum(case when customer_feed_days.feed = outages.feed'
            ~ ' then customer_feed_days.event_count else 0 end)',
            'sum(customer_feed_days.event_count)',
            'double'
        ) }} as use_share
    from outages
    inner join customer_feed_days
        on
            customer_feed_days.judged_by = outages.judged_by
            and customer_feed_days.activity_date < outages.outage_started_on
            and customer_feed_days.activity_date >= {{ plus_days(
                'outages.outage_started_on', -7 * var('outage_baseline_weeks')
            ) }}
    group by
        customer_feed_days.customer_id,
        outages.feed,
        outages.judged_by,
        outages.outage_started_on
),

-- A feed that stays out longer than that, while another sees the customer, is taken to have ended.
judged as (
    select
        customer_feeds.customer_id,
        customer_feeds.judged_by,
        feed_days.activity_date as outage_date,
        min(case when feed_days.is_outage then 1 else 0 end) as is_every_feed_out,
        sum(
            case
                when
                    feed_days.activity_date < {{ plus_days(
                        'feed_days.outage_started_on', 7 * var('outage_baseline_weeks')
                    ) }}
                    then shares.use_share
            end
        ) as lost_share
    from customer_feeds
    inner join feed_days
        on
            customer_feeds.feed = feed_days.feed
            and customer_feeds.judged_by = feed_days.judged_by
            and customer_feeds.first_date <= feed_days.activity_date
    left join shares
        on
            customer_feeds.customer_id = shares.customer_id
            and customer_feeds.feed = shares.feed
            and customer_feeds.judged_by = shares.judged_by
            and feed_days.outage_started_on = shares.outage_started_on
    where
        exists (
            select 1 from feed_days as days
            where
                days.is_outage
                and days.activity_date = feed_days.activity_date
                and days.judged_by = feed_days.judged_by
        )
    group by customer_feeds.customer_id, customer_feeds.judged_by, feed_days.activity_date
),

outage_days as (
    select
        customer_id,
        judged_by,
        outage_date
    from judged
    where is_every_feed_out = 1 or lost_share >= {{ var('outage_drop_ratio') }}
)

select * from outage_days
