-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as date) as month_start,
    cast(null as varchar) as kind,
    cast(null as varchar) as cause,
    cast(null as decimal(38,10)) as amount,
    cast(null as boolean) as is_provisional,
    cast(null as varchar) as originator_role
where false
