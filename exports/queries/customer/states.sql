select customer_id, transition_date, from_state, to_state, direction
from usage_transitions
inner join detailed using (customer_id)
where
    transition_date <= getvariable('as_of_date')
    and transition_date > getvariable('as_of_date') - interval 52 week
order by customer_id, transition_date desc
