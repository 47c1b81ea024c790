select
    customer_id, kind, reason_code, opened_on, due_date, due_arr, playbook,
    expected_saved_arr, is_within_budget, drivers
from churn_warnings
inner join detailed using (customer_id)
where closed_on is null
order by customer_id, rank nulls last, warning_id
