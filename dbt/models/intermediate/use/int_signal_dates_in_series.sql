with

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

-- Dates of one weekday, each as known on its own day (or all as known tonight), form a series: one
-- ordered pass over it counts distinct users at all of its dates.
grouped as (
    select
        as_of_date,
        known_on,
        known_on = as_of_date as is_known_then,
        mod({{ dbt.datediff("date '1970-01-05'", 'as_of_date', 'day') }}, 7) as weekday
    from signal_dates
),

placed as (
    select
        as_of_date,
        known_on,
        is_known_then,
        weekday,
        min(as_of_date) over (partition by weekday, is_known_then) as anchor_date,
        max(as_of_date) over (partition by weekday, is_known_then) as last_date,
        {{ last_whole_week('as_of_date') }} as last_week_start
    from grouped
),

series as (
    select
        as_of_date,
        known_on,
        concat(cast(weekday as varchar), case when is_known_then then '' else '-later' end)
            as series_id,
        is_known_then,
        anchor_date,
        last_date,
        {{ weeks_after('anchor_date', 'as_of_date') }} as position,
        last_week_start
    from placed
)

select * from series
