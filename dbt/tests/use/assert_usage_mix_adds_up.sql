-- Detects days on which the shares of paying customers do not add up to 1.
select
    state_date,
    sum(customer_share) as share
from {{ ref('usage_mix_daily') }}
group by state_date
having abs(sum(customer_share) - 1) > 1e-9
