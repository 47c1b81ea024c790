-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as date) as state_date,
    cast(null as varchar) as state,
    cast(null as bigint) as days_in_state,
    cast(null as boolean) as is_frozen
where false
