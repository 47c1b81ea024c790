select
    month_start, opening_mrr, new, reactivation, late_renewal, expansion, contraction, churn,
    currency_effect, closing_mrr
from mrr_bridge_monthly
where
    month_start <= getvariable('as_of_date')
    and month_start > getvariable('as_of_date') - interval 12 month
order by month_start
