select
    customers.onboarding_status,
    count(*) as customer_count,
    sum(customers.arr) as arr,
    count(activations.ttfv_days) as valued_count,
    median(activations.ttfv_days) as ttfv_days_p50
from customer_360 as customers
left join activations using (customer_id)
where customers.status in ('signed', 'formal', 'renewed', 'lapsed', 'pay_as_you_go')
group by customers.onboarding_status
order by case customers.onboarding_status
    when 'stuck' then 1 when 'failed' then 2 when 'not_started' then 3 when 'in_progress' then 4
    when 'succeeded' then 5 else 6 end
