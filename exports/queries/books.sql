select
    csm_id, csm_name, role, customer_count, arr, due_arr_90d, at_risk_arr, load_ratio,
    warning_budget, coverage_ratio, orphaned_customer_count, due_run_count, on_time_ratio
from csm_books
where segment = 'all'
order by arr desc nulls last, csm_id
