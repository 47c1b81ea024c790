-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as date) as transition_date,
    cast(null as varchar) as from_state,
    cast(null as varchar) as to_state,
    cast(null as varchar) as direction,
    cast(null as bigint) as days_in_from_state,
    cast(null as decimal(38,10)) as arr
where false
