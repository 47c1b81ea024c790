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
    select * from {{ ref('int_use_counted_at_dates') }} as counted_at_dates
    {{- where_not_kept('counted_at_dates', ['customer_id', 'as_of_date', 'known_on']) }}
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
),

calendar as (
    select * from {{ ref('calendar') }}
),

-- A number for each customer and date: the ordered passes below run on it.
used_at_dates as (
    select
        counted_at_dates.*,
        segment_days.segment,
        row_number() over (
            order by
                counted_at_dates.customer_id, counted_at_dates.as_of_date, counted_at_dates.known_on
        ) as at_date_no
    from counted_at_dates
    left join segment_days
        on
            counted_at_dates.customer_id = segment_days.customer_id
            and segment_days.valid_from <= counted_at_dates.known_on
            and counted_at_dates.known_on < segment_days.valid_to
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
looked_at as (
    select
        used_at_dates.at_date_no,
        used_at_dates.customer_id,
        used_at_dates.segment,
        used_at_dates.known_on,
        weeks.week_start,
        weeks.working_day_count,
        -- Not row_number(): DuckDB would keep the first of each group in a list, ten times slower.
        count(*) over (
            partition by used_at_dates.at_date_no
            order by weeks.week_start desc
            rows between unbounded preceding and current row
        ) as weeks_back
    from used_at_dates
    cross join (select count(distinct week_start) as week_count from outage_weeks) as outages
    inner join weeks
        on
            used_at_dates.first_use_date <= weeks.week_start
            and weeks.week_start <= used_at_dates.last_week_start
            and weeks.week_start > {{ plus_days(
                'used_at_dates.last_week_start',
                '-7 * cast(' ~ highest_threshold('best_window_weeks') ~ ' + outages.week_count as integer)'
            ) }}
    where
        not exists (
            select 1 from outage_weeks
            where
                outage_weeks.customer_id = used_at_dates.customer_id
                and outage_weeks.week_start = weeks.week_start
        )
),

complete_weeks as (
    select
        looked_at.at_date_no,
        looked_at.segment,
        looked_at.week_start,
        looked_at.working_day_count,
        looked_at.weeks_back,
        coalesce(known_weeks.user_count, 0) as active_user_count,
        count(*) over (partition by looked_at.at_date_no) + 1 - looked_at.weeks_back as week_no
    from looked_at
    left join known_weeks
        on
            looked_at.customer_id = known_weeks.customer_id
            and looked_at.week_start = known_weeks.week_start
            and known_weeks.known_from <= looked_at.known_on
            and (known_weeks.known_to is null or looked_at.known_on < known_weeks.known_to)
    where
        looked_at.weeks_back <= {{ state_threshold('best_window_weeks', 'looked_at.segment') }}
),

leveled as (
    {{ level_weeks('complete_weeks', ['at_date_no'], 'week_start') }}
),

levels as (
    select
        at_date_no,
        level_user_count,
        best_user_count,
        week_no as week_count
    from leveled
    where weeks_back = 1
),

-- Theil-Sen: the median slope over all pairs of weeks, each as users of a five-day week.
trend_weeks as (
    select
        at_date_no,
        week_start,
        {{ divide('5 * active_user_count', 'working_day_count', 'double') }} as user_count
    from complete_weeks
    where
        weeks_back <= {{ var('trend_weeks') }}
        and working_day_count >= {{ var('trend_min_working_days') }}
),

slopes as (
    select
        later.at_date_no,
        median(
            7.0 * (later.user_count - earlier.user_count)
            / nullif({{ dbt.datediff('earlier.week_start', 'later.week_start', 'day') }}, 0)
        ) as slope
    from trend_weeks as later
    inner join trend_weeks as earlier
        on
            later.at_date_no = earlier.at_date_no
            and earlier.week_start < later.week_start
    group by later.at_date_no
),

usual as (
    select
        at_date_no,
        median(user_count) as user_count
    from trend_weeks
    group by at_date_no
),

leveled_at_dates as (
    select
        used_at_dates.customer_id,
        used_at_dates.as_of_date,
        used_at_dates.known_on,
        used_at_dates.digest,
        used_at_dates.segment,
        levels.level_user_count,
        levels.best_user_count,
        case
            when levels.week_count >= {{ var('trend_weeks') }}
                then {{ divide('slopes.slope', 'usual.user_count', 'double') }}
        end as login_trend_slope
    from used_at_dates
    left join levels on used_at_dates.at_date_no = levels.at_date_no
    left join slopes on used_at_dates.at_date_no = slopes.at_date_no
    left join usual on used_at_dates.at_date_no = usual.at_date_no
)

select * from leveled_at_dates
