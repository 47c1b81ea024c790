-- Detects uses that were lost or doubled between the user-days and the customer's days.
with

user_days as (
    select sum(event_count) as event_count from {{ ref('int_user_days_joined') }}
),

usage_days as (
    select sum(event_count) as event_count from {{ ref('customer_usage_daily') }}
)

select
    user_days.event_count as in_user_days,
    usage_days.event_count as in_usage_days
from user_days
cross join usage_days
where coalesce(user_days.event_count, 0) != coalesce(usage_days.event_count, 0)
