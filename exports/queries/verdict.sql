select verdict
from score_report_card
where
    card = 'customer'
    and is_in_force
    and horizon_days = 90
    and segment = 'all'
    and population = 'all'
