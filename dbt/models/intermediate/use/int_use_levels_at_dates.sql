{{
    config(
        materialized='incremental',
        database='cache',
        pre_hook='{{ forget_counted_at_dates(this) if is_incremental() else "select 1" }}'
    )
}}

-- depends_on: {{ ref('int_use_at_dates_digested') }}

with

-- Dates that are not kept from an earlier night.
counted_at_dates as (
    select * from {{ ref('int_use_counted_at_dates') }}
    {{ where_not_kept('int_use_counted_at_dates', ['customer_id', 'as_of_date', 'known_on']) }}
),

segment_days as (
    {{ days_in_segments() }}
),

learnt as (
    select * from {{ ref('int_use_weeks_learnt') }}
    where user_count > 0
),

outage_days as (
    select * from {{ ref('int_customer_outage_days') }}
    where judged_by = 'in_week'
),

calendar as (
    select * from {{ ref('calendar') }}
),

-- Use learnt after its week was over: what was known of a week before is another count.
late_days as (
    select distinct
        customer_id,
        known_date
    from learnt
    where known_date > {{ plus_days('week_start', 6) }}
),

moments as (
    select distinct
        customer_id,
        known_on
    from counted_at_dates
    union
    select
        customer_id,
        known_date as known_on
    from late_days
),

moments_counted as (
    select
        moments.customer_id,
        moments.known_on,
        count(late_days.known_date) over (
            partition by moments.customer_id
            order by moments.known_on
        ) as late_day_count
    from moments
    left join late_days
        on
            moments.customer_id = late_days.customer_id
            and moments.known_on = late_days.known_date
),

used_at_dates as (
    select
        counted_at_dates.*,
        segment_days.segment,
        moments_counted.late_day_count
    from counted_at_dates
    inner join moments_counted
        on
            counted_at_dates.customer_id = moments_counted.customer_id
            and counted_at_dates.known_on = moments_counted.known_on
    left join segment_days
        on
            counted_at_dates.customer_id = segment_days.customer_id
            and segment_days.valid_from <= counted_at_dates.known_on
            and counted_at_dates.known_on < segment_days.valid_to
),

-- Dates between which nothing was learnt late look at the same weeks. A number for each such
-- series: the ordered passes below run on it.
series as (
    select
        customer_id,
        segment,
        first_use_date,
        late_day_count,
        max(known_on) as known_on,
        min(last_week_start) as first_week_asked,
        max(last_week_start) as last_week_asked,
        row_number() over (
            order by customer_id, segment, first_use_date, late_day_count
        ) as series_no
    from used_at_dates
    where first_use_date <= last_week_start
    group by customer_id, segment, first_use_date, late_day_count
),

weeks as (
    select
        week_start,
        {{ count_when('is_working_day') }} as working_day_count
    from calendar
    group by week_start
),

outage_weeks as (
    select distinct
        customer_id,
        cast({{ dbt.date_trunc('week', 'outage_date') }} as date) as week_start
    from outage_days
),

-- Users of a week as known from one day to the next on which late use was learnt.
known_weeks as (
    select
        customer_id,
        week_start,
        known_date as known_from,
        lead(known_date) over (partition by customer_id, week_start order by known_date)
            as known_to,
        sum(user_count) over (
            partition by customer_id, week_start
            order by known_date
            rows between unbounded preceding and current row
        ) as user_count
    from learnt
),

-- Weeks with an outage are left out, and as many more looked at before.
complete_weeks as (
    select
        series.series_no,
        series.segment,
        weeks.week_start,
        weeks.working_day_count,
        coalesce(known_weeks.user_count, 0) as active_user_count,
        row_number() over (partition by series.series_no order by weeks.week_start) as week_no
    from series
    cross join (select count(distinct week_start) as week_count from outage_weeks) as outages
    inner join weeks
        on
            series.first_use_date <= weeks.week_start
            and weeks.week_start <= series.last_week_asked
            and weeks.week_start > {{ plus_days(
                'series.first_week_asked',
                '-7 * cast(' ~ highest_threshold('best_window_weeks') ~ ' + outages.week_count as integer)'
            ) }}
    left join known_weeks
        on
            series.customer_id = known_weeks.customer_id
            and weeks.week_start = known_weeks.week_start
            and known_weeks.known_from <= series.known_on
            and (known_weeks.known_to is null or series.known_on < known_weeks.known_to)
    where
        not exists (
            select 1 from outage_weeks
            where
                outage_weeks.customer_id = series.customer_id
                and outage_weeks.week_start = weeks.week_start
        )
),

leveled as (
    {{ level_weeks('complete_weeks', ['series_no'], 'week_start') }}
),

-- A week's level stands until the next whole week without an outage.
levels as (
    select
        series_no,
        week_no,
        week_start as valid_from,
        lead(week_start, 1, {{ far_future() }}) over (
            partition by series_no
            order by week_start
        ) as valid_to,
        level_user_count,
        best_user_count
    from leveled
),

levels_at_dates as (
    select
        used_at_dates.customer_id,
        used_at_dates.as_of_date,
        used_at_dates.known_on,
        used_at_dates.digest,
        used_at_dates.segment,
        levels.series_no,
        levels.week_no,
        levels.level_user_count,
        levels.best_user_count
    from used_at_dates
    left join series
        on
            used_at_dates.customer_id = series.customer_id
            and used_at_dates.segment is not distinct from series.segment
            and used_at_dates.first_use_date = series.first_use_date
            and used_at_dates.late_day_count = series.late_day_count
    left join levels
        on
            series.series_no = levels.series_no
            and levels.valid_from <= used_at_dates.last_week_start
            and used_at_dates.last_week_start < levels.valid_to
),

-- Theil-Sen: the median slope over all pairs of weeks, each as users of a five-day week.
trend_weeks as (
    select
        asked.series_no,
        asked.week_no,
        complete_weeks.week_start,
        {{ divide(
            '5 * complete_weeks.active_user_count', 'complete_weeks.working_day_count', 'double'
        ) }} as user_count
    from (
        select distinct
            series_no,
            week_no
        from levels_at_dates
        where week_no >= {{ var('trend_weeks') }}
    ) as asked
    cross join ({{ dbt.generate_series(var('trend_weeks')) }}) as weeks_back
    inner join complete_weeks
        on
            asked.series_no = complete_weeks.series_no
            and asked.week_no + 1 - weeks_back.generated_number = complete_weeks.week_no
    where complete_weeks.working_day_count >= {{ var('trend_min_working_days') }}
),

slopes as (
    select
        later.series_no,
        later.week_no,
        median(
            7.0 * (later.user_count - earlier.user_count)
            / nullif({{ dbt.datediff('earlier.week_start', 'later.week_start', 'day') }}, 0)
        ) as slope
    from trend_weeks as later
    inner join trend_weeks as earlier
        on
            later.series_no = earlier.series_no
            and later.week_no = earlier.week_no
            and earlier.week_start < later.week_start
    group by later.series_no, later.week_no
),

usual as (
    select
        series_no,
        week_no,
        median(user_count) as user_count
    from trend_weeks
    group by series_no, week_no
),

leveled_at_dates as (
    select
        levels_at_dates.customer_id,
        levels_at_dates.as_of_date,
        levels_at_dates.known_on,
        levels_at_dates.digest,
        levels_at_dates.segment,
        levels_at_dates.level_user_count,
        levels_at_dates.best_user_count,
        {{ divide('slopes.slope', 'usual.user_count', 'double') }} as login_trend_slope
    from levels_at_dates
    left join slopes
        on
            levels_at_dates.series_no = slopes.series_no
            and levels_at_dates.week_no = slopes.week_no
    left join usual
        on
            levels_at_dates.series_no = usual.series_no
            and levels_at_dates.week_no = usual.week_no
)

select * from leveled_at_dates
