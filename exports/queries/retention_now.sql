select
    window_end, window_months, customer_count, opening_mrr, retained_mrr, closing_mrr, grr, nrr,
    crr, crr_low, crr_high
from retention_monthly
where level = 'account' and segment_by = 'all' and window_end <= getvariable('as_of_date')
qualify window_end = max(window_end) over (partition by window_months)
order by window_months
