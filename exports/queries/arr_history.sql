select kpi_date, arr
from kpi_daily
where
    kpi_date <= getvariable('as_of_date')
    and kpi_date > getvariable('as_of_date') - interval 52 week
    and date_diff('day', kpi_date, getvariable('as_of_date')) % 7 = 0
order by kpi_date
