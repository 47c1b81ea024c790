select customer_id, part, round(delta, 2) as delta, sentence
from health_changes
inner join detailed using (customer_id)
where as_of_date = getvariable('as_of_date')
order by customer_id, abs(health_changes.delta) desc, part
