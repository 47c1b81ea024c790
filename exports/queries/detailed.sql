select customer_id
from customer_360
where
    (select count(*) from customer_360) <= $every_customer_up_to
    or customer_id in (select customer_id from churn_warnings where closed_on is null)
    or customer_id = any($changed)
    or next_renewal_date between getvariable('as_of_date')
        and getvariable('as_of_date') + interval 180 day
order by
    customer_id in (select customer_id from churn_warnings where closed_on is null) desc,
    customer_id = any($changed) desc,
    next_renewal_date nulls last,
    customer_id
limit $most
