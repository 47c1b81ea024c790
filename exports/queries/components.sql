select
    component,
    max(weight) as weight,
    count(*) as customer_count,
    count(*) filter (where is_applicable) as applicable_count,
    count(*) filter (where is_applicable and is_measured) as measured_count,
    avg(cast(component_score as decimal(18, 6))) filter (where is_applicable and is_measured)
        as average_score
from health_components
where as_of_date = getvariable('as_of_date')
group by component
order by weight desc nulls last, component
