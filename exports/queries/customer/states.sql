select customer_id, transition_date, from_state, to_state, direction
from usage_transitions
inner join detailed using (customer_id)
where transition_date <= getvariable('as_of_date')
qualify row_number() over (partition by customer_id order by transition_date desc) <= 10
order by customer_id, transition_date desc
