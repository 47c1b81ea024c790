with

customer_weeks as (
    select * from {{ ref('north_star_customers_weekly') }}
),

weeks as (
    select distinct week_start from customer_weeks
),

reached as (
    select
        customer_id,
        week_start,
        lag(week_start) over (partition by customer_id order by week_start) as previous_week_start,
        lead(week_start) over (partition by customer_id order by week_start) as next_week_start
    from customer_weeks
    where is_reached
),

counted as (
    select
        week_start,
        count(*) as north_star,
        {{ count_when('previous_week_start is null') }} as new_count,
        {{ count_when('previous_week_start = ' ~ plus_days('week_start', -7)) }} as retained_count,
        {{ count_when('previous_week_start < ' ~ plus_days('week_start', -7)) }}
            as resurrected_count
    from reached
    group by week_start
),

-- Who reached it in a week and not in the next is lost in the next.
lost as (
    select
        {{ plus_days('week_start', 7) }} as week_start,
        count(*) as lost_count
    from reached
    where next_week_start is null or next_week_start > {{ plus_days('week_start', 7) }}
    group by week_start
),

north_star as (
    select
        weeks.week_start,
        cast(coalesce(counted.north_star, 0) as bigint) as north_star,
        cast(coalesce(counted.new_count, 0) as bigint) as new_count,
        cast(coalesce(counted.retained_count, 0) as bigint) as retained_count,
        cast(coalesce(counted.resurrected_count, 0) as bigint) as resurrected_count,
        cast(coalesce(lost.lost_count, 0) as bigint) as lost_count
    from weeks
    left join counted on weeks.week_start = counted.week_start
    left join lost on weeks.week_start = lost.week_start
)

select * from north_star
