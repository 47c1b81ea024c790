select usage_state, count(*) as customer_count
from customer_360
where status in ('formal', 'renewed', 'lapsed', 'pay_as_you_go')
group by usage_state
order by customer_count desc, usage_state
