-- Detects customers whose signals of tonight differ from tonight's day of use.
select
    at_dates.customer_id,
    at_dates.active_user_count_7d as signal_7d,
    usage_days.active_user_count_7d as day_7d,
    at_dates.active_user_count_28d as signal_28d,
    usage_days.active_user_count_28d as day_28d,
    at_dates.core_breadth_ratio as signal_breadth,
    usage_days.core_breadth_ratio as day_breadth
from {{ ref('int_customers_use_at_dates') }} as at_dates
inner join {{ ref('customer_usage_daily') }} as usage_days
    on
        at_dates.customer_id = usage_days.customer_id
        and at_dates.as_of_date = usage_days.activity_date
where
    at_dates.as_of_date = {{ as_of_date() }}
    and (
        at_dates.active_user_count_7d is distinct from usage_days.active_user_count_7d
        or at_dates.active_user_count_28d is distinct from usage_days.active_user_count_28d
        or at_dates.core_breadth_ratio is distinct from usage_days.core_breadth_ratio
    )
