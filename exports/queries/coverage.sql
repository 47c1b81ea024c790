select
    count(*) as customer_count,
    avg(cast(coverage as decimal(18, 6))) as coverage,
    count(*) filter (where health_score is null) as unscored_count
from health_scores
where as_of_date = getvariable('as_of_date')
