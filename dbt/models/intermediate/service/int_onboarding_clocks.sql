-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as bigint) as round_no,
    cast(null as date) as clock_date
where false
