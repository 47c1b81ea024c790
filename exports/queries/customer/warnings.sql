select
    customer_id, reason_code, opened_on, due_date, playbook, drivers
from churn_warnings
inner join detailed using (customer_id)
where closed_on is null
order by customer_id, rank nulls last, warning_id
