select
    customers.customer_id,
    any_value(customers.customer_name) as customer_name,
    any_value(customers.csm_name) as csm,
    any_value(customers.arr) as arr,
    min_by(steps.step, (steps.due_on, steps.sequence)) as step,
    min(steps.due_on) as due_on,
    date_diff('day', min(steps.due_on), getvariable('as_of_date')) as days_overdue,
    count(steps.step) as step_count
from customer_360 as customers
left join onboarding_progress as steps
    on customers.customer_id = steps.customer_id and steps.is_stuck
where customers.onboarding_status in ('stuck', 'failed') and customers.arr > 0
group by customers.customer_id
order by arr desc nulls last, customers.customer_id
limit 30
