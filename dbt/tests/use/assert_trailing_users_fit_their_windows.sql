-- Detects customer-days whose trailing distinct users cannot be: fewer than those of the day or of
-- the shorter window, or more than the days of the window together had.
with

usage_days as (
    select
        *,
        sum(active_user_count) over (
            partition by customer_id
            order by activity_date
            rows between 6 preceding and current row
        ) as user_days_7d,
        sum(active_user_count) over (
            partition by customer_id
            order by activity_date
            rows between 27 preceding and current row
        ) as user_days_28d
    from {{ ref('customer_usage_daily') }}
    where is_measured
)

select
    customer_id,
    activity_date,
    active_user_count,
    active_user_count_7d,
    active_user_count_28d
from usage_days
where
    active_user_count > active_user_count_7d
    or active_user_count_7d > active_user_count_28d
    or active_user_count_7d > user_days_7d
    or active_user_count_28d > user_days_28d
