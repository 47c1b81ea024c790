-- Detects weeks in which the north star is not new + retained + resurrected, or not last week's
-- less the lost, with the new and the resurrected.
with

weeks as (
    select
        *,
        coalesce(lag(north_star) over (order by week_start), 0) as north_star_before
    from {{ ref('north_star_weekly') }}
)

select *
from weeks
where
    north_star != new_count + retained_count + resurrected_count
    or north_star != north_star_before - lost_count + new_count + resurrected_count
