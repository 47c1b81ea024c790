select
    customer_id,
    any_value(customers.customer_name) as customer_name,
    any_value(customers.csm_name) as csm,
    any_value(customers.arr) as arr,
    min_by(steps.step, (steps.due_on, steps.sequence)) as step,
    min(steps.due_on) as due_on,
    date_diff('day', min(steps.due_on), getvariable('as_of_date')) as days_overdue,
    count(*) as step_count
from onboarding_progress as steps
inner join customer_360 as customers using (customer_id)
where steps.is_stuck and customers.onboarding_status in ('stuck', 'failed') and customers.arr > 0
group by customer_id
order by arr desc nulls last, customer_id
limit 30
