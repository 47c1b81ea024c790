-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as date) as month_start,
    cast(null as decimal(38,10)) as mrr
where false
