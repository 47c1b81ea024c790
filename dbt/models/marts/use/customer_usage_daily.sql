-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as date) as activity_date,
    cast(null as bigint) as active_user_count,
    cast(null as bigint) as active_user_count_7d,
    cast(null as bigint) as active_user_count_28d,
    cast(null as double) as wau_mau_ratio,
    cast(null as bigint) as active_day_count_28d,
    cast(null as bigint) as login_count,
    cast(null as bigint) as event_count,
    cast(null as bigint) as core_action_count,
    cast(null as double) as core_breadth_ratio,
    cast(null as bigint) as help_view_count,
    cast(null as decimal(38,10)) as minutes_online
where false
