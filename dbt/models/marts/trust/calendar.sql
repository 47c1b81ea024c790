-- STUB
select
    cast(null as date) as calendar_date,
    cast(null as boolean) as is_working_day,
    cast(null as date) as week_start,
    cast(null as date) as month_start,
    cast(null as varchar) as fiscal_quarter
where false
