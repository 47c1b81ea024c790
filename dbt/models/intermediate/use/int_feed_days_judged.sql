with

feed_days as (
    select * from {{ ref('int_feed_days_counted') }}
    where feed is not null
),

calendar as (
    select * from {{ ref('calendar') }}
),

-- A feed is judged by all that is known tonight, which late use may cure, and by what was known at
-- the end of the day's week, which nothing changes later.
feed_days_known as (
    {% for judged_by, known in [('tonight', ''), ('in_week', '_in_week')] -%}
    select
        feed,
        activity_date,
        '{{ judged_by }}' as judged_by,
        tenant_count{{ known }} as tenant_count,
        event_count{{ known }} as event_count,
        tenant_event_count_p50{{ known }} as tenant_event_count_p50
    from feed_days
    where event_count{{ known }} > 0
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

feeds as (
    select
        feed,
        judged_by,
        min(activity_date) as first_date
    from feed_days_known
    group by feed, judged_by
),

-- Only working days are judged: a holiday's quiet is no outage.
working_days as (
    select
        feeds.feed,
        feeds.judged_by,
        calendar.calendar_date as activity_date,
        calendar.week_start,
        {{ dbt.datediff('calendar.week_start', 'calendar.calendar_date', 'day') }} as weekday,
        cast(coalesce(feed_days.tenant_count, 0) as bigint) as tenant_count,
        cast(coalesce(feed_days.event_count, 0) as bigint) as event_count,
        cast(coalesce(feed_days.tenant_event_count_p50, 0) as double) as tenant_event_count_p50
    from feeds
    inner join calendar
        on
            feeds.first_date <= calendar.calendar_date
            and calendar.calendar_date <= {{ as_of_date() }}
    left join feed_days_known as feed_days
        on
            feeds.feed = feed_days.feed
            and feeds.judged_by = feed_days.judged_by
            and calendar.calendar_date = feed_days.activity_date
    where calendar.is_working_day
),

{%- set window = '(partition by feed, judged_by, weekday order by activity_date rows between '
    ~ var('outage_baseline_weeks') ~ ' preceding and 1 preceding)' %}

compared as (
    select
        *,
        count(*) over {{ window }} as baseline_days,
        {%- for measure in ['tenant_count', 'event_count', 'tenant_event_count_p50'] %}
        {{ median_over(measure, window) }} as {{ measure }}_usual,
        {{ mad_over(measure, window) }} as {{ measure }}_spread
        {{- ',' if not loop.last }}
        {%- endfor %}
    from working_days
),

dropped as (
    select
        *,
        {%- for measure in ['tenant_count', 'event_count', 'tenant_event_count_p50'] %}
        {{ measure }} < {{ var('outage_drop_ratio') }} * {{ measure }}_usual
        and {{ measure }} < {{ measure }}_usual
        - {{ var('outage_mads') }} * {{ mad_scale() }} * {{ measure }}_spread
            as is_{{ measure }}_dropped
        {{- ',' if not loop.last }}
        {%- endfor %}
    from compared
),

-- Many tenants at once: fewer of them are seen, or the typical one does much less. One large
-- tenant that leaves changes neither.
first_judged as (
    select
        *,
        coalesce(
            baseline_days = {{ var('outage_baseline_weeks') }}
            and tenant_count_usual >= {{ var('outage_min_tenants') }}
            and (
                is_tenant_count_dropped
                or (is_event_count_dropped and is_tenant_event_count_p50_dropped)
            ),
            false
        ) as is_dropped,
        sum(case when event_count > 0 then 1 else 0 end) over (
            partition by feed, judged_by
            order by activity_date
            rows between unbounded preceding and current row
        ) as delivered_day_count
    from dropped
),

-- A feed that stopped stays in outage until it delivers again, however long that takes.
judged as (
    select
        *,
        is_dropped or (
            event_count = 0
            and coalesce(max(case when event_count = 0 and is_dropped then 1 end) over (
                partition by feed, judged_by, delivered_day_count
                order by activity_date
                rows between unbounded preceding and current row
            ), 0) = 1
        ) as is_outage
    from first_judged
),

-- The days of one outage follow the same last good day.
numbered as (
    select
        *,
        sum(case when is_outage then 0 else 1 end) over (
            partition by feed, judged_by
            order by activity_date
            rows between unbounded preceding and current row
        ) as good_day_count
    from judged
),

feed_days_judged as (
    select
        feed,
        judged_by,
        activity_date,
        tenant_count,
        tenant_count_usual,
        event_count,
        event_count_usual,
        is_outage,
        case
            when is_outage
                then min(case when is_outage then activity_date end)
                    over (partition by feed, judged_by, good_day_count)
        end as outage_started_on
    from numbered
)

select * from feed_days_judged
