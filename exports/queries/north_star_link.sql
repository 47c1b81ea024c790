select north_star_group, n, renewal_rate, rate_low, rate_high
from north_star_renewal_link
order by north_star_group desc
