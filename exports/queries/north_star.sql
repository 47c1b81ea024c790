select week_start, north_star, new_count, retained_count, resurrected_count, lost_count
from north_star_weekly
where
    week_start <= getvariable('as_of_date') - interval 6 day
    and week_start > getvariable('as_of_date') - interval 53 week
order by week_start
