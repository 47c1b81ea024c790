-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as varchar) as status,
    cast(null as date) as valid_from,
    cast(null as date) as valid_to
where false
