-- STUB
select
    cast(null as date) as due_month,
    cast(null as varchar) as measure,
    cast(null as varchar) as term_class,
    cast(null as varchar) as segment,
    cast(null as decimal(38,10)) as due
where false
