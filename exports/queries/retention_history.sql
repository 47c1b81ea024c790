select window_end, customer_count, opening_mrr, grr, nrr
from retention_monthly
where
    level = 'account'
    and segment_by = 'all'
    and window_months = 12
    and window_end <= getvariable('as_of_date')
    and window_end > getvariable('as_of_date') - interval 24 month
    and grr is not null
order by window_end
