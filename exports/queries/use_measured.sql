select
    count(event_count) > 0 as has_use,
    count(core_action_count) > 0 as has_core,
    count(active_user_count) > 0 as has_users
from customer_usage_daily
where
    activity_date <= getvariable('as_of_date')
    and activity_date > getvariable('as_of_date') - interval 28 day
