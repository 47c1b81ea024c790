select customer_id, part, round(delta, 2), sentence
from health_changes
inner join detailed using (customer_id)
where as_of_date = getvariable('as_of_date')
order by customer_id, abs(delta) desc, part
