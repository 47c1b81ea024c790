select
    count(*) > 0
    and count(previous_health_band) = 0
    and count(*) >= (
        select count(*) from health_scores where as_of_date = getvariable('as_of_date')
    ) as is_first_night
from said_changes
