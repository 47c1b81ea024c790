select
    customer_id, customer_name, status, segment, tier, csm_name, health_score, health_band,
    usage_state, arr, next_renewal_date, churn_probability, open_warning_count
from customer_360
order by arr desc nulls last, customer_name, customer_id
