select
    customer_id, customers.customer_name, customers.csm_name as csm, customers.arr,
    customers.lost_contact, customers.days_since_our_contact,
    customers.days_since_their_contact, coverage.plan_days, customers.next_renewal_date
from customer_360 as customers
left join contact_coverage as coverage using (customer_id)
where customers.lost_contact in ('ours', 'theirs', 'both')
order by customers.arr desc nulls last, customer_id
limit 30
