-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as date) as as_of_date,
    cast(null as date) as known_on,
    cast(null as bigint) as days_since_last_use,
    cast(null as bigint) as active_user_count_7d,
    cast(null as bigint) as active_user_count_28d,
    cast(null as bigint) as active_user_count_28d_before,
    cast(null as double) as usage_level_ratio,
    cast(null as double) as login_trend_slope,
    cast(null as double) as core_breadth_ratio,
    cast(null as double) as core_depth_per_week,
    cast(null as boolean) as is_used_without_value,
    cast(null as boolean) as has_use_ever
where false
