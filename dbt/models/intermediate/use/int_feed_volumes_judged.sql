with

feed_days as (
    select * from {{ ref('int_feed_days_counted') }}
    where feed is not null
),

calendar as (
    select * from {{ ref('calendar') }}
),

feeds as (
    select
        feed,
        min(activity_date) as first_date
    from feed_days
    group by feed
),

calendar_days as (
    select
        calendar_date,
        is_working_day,
        {{ dbt.datediff('week_start', 'calendar_date', 'day') }} as weekday,
        {{ count_when('is_working_day') }} over (partition by week_start) < 5 as is_holiday_week
    from calendar
),

-- Holidays are left out; weekends are compared with weekends.
days as (
    select
        feeds.feed,
        calendar_days.calendar_date as activity_date,
        calendar_days.is_working_day,
        calendar_days.weekday,
        calendar_days.is_holiday_week,
        coalesce(feed_days.event_count_in_time, 0) as event_count,
        {{ divide('feed_days.event_count_in_time', 'feed_days.user_count_in_time', 'double') }}
            as intensity,
        {{ divide(
            'feed_days.repeated_event_count_in_time', 'feed_days.event_count_in_time', 'double'
        ) }} as repeated_share
    from feeds
    inner join calendar_days
        on
            feeds.first_date <= calendar_days.calendar_date
            and calendar_days.calendar_date <= {{ as_of_date() }}
    left join feed_days
        on
            feeds.feed = feed_days.feed
            and calendar_days.calendar_date = feed_days.activity_date
    where calendar_days.is_working_day or calendar_days.weekday >= 5
),

{%- set same_weekdays = '(partition by feed, weekday order by activity_date rows between '
    ~ var('outage_baseline_weeks') ~ ' preceding and 1 preceding)' %}

compared as (
    select
        *,
        count(*) over {{ same_weekdays }} as baseline_days,
        {{ median_over('event_count', same_weekdays) }} as event_count_usual,
        {{ median_over('intensity', same_weekdays) }} as intensity_usual,
        {{ median_over('repeated_share', same_weekdays) }} as repeated_share_usual
    from days
),

-- Logarithms: a loss by a third stands as far from the usual as a growth by a half.
changed as (
    select
        *,
        ln(nullif({{ divide('event_count', 'event_count_usual', 'double') }}, 0))
            as event_count_change,
        ln(nullif({{ divide('intensity', 'intensity_usual', 'double') }}, 0)) as intensity_change,
        repeated_share - repeated_share_usual as repeated_share_change
    from compared
    where
        baseline_days = {{ var('outage_baseline_weeks') }}
        and event_count_usual >= {{ var('nothing_min_events') }}
),

{%- set days_of_kind = '(partition by feed, is_working_day order by activity_date rows between '
    ~ var('anomaly_spread_days') ~ ' preceding and 1 preceding)' %}

-- A feed's noise is what the days before differed by from their own usual; its growth is theirs.
surprising as (
    select
        *,
        {%- for measure in ['event_count', 'intensity', 'repeated_share'] %}
        abs({{ measure }}_change - {{ median_over(measure ~ '_change', days_of_kind) }})
        > greatest(
            {{ var('anomaly_min_change') }},
            {{ var('anomaly_mads') }} * {{ mad_scale() }}
            * {{ mad_over(measure ~ '_change', days_of_kind) }}
        ) as is_{{ measure }}_unusual,
        {%- endfor %}
        4 * count(*) over {{ days_of_kind }} >= {{ var('anomaly_spread_days') }} as is_noise_known
    from changed
),

judged as (
    select
        feed,
        activity_date,
        event_count,
        event_count_usual,
        intensity,
        intensity_usual,
        repeated_share,
        repeated_share_usual,
        case
            when event_count = 0 then 'nothing'
            when not is_noise_known or event_count_usual < {{ var('anomaly_min_events') }} then null
            when is_repeated_share_unusual then 'repeated'
            when is_intensity_unusual then 'intensity'
            -- Around a holiday fewer people work, each as much as ever.
            when is_event_count_unusual and not is_holiday_week then 'volume'
        end as anomaly
    from surprising
)

select * from judged
