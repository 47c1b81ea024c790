-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as date) as week_start,
    cast(null as bigint) as value_action_count,
    cast(null as boolean) as is_reached
where false
