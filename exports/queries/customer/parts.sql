select
    customer_id, component, round(component_score), weight, round(contribution, 1),
    is_applicable, is_measured, stale_days
from health_components
inner join detailed using (customer_id)
where as_of_date = getvariable('as_of_date')
order by customer_id, weight desc nulls last, component
