-- Detects month ends at which a customer's ARR beside the usage state is not twelve times its MRR.
select
    states.customer_id,
    states.state_date,
    states.arr,
    months.mrr
from {{ ref('usage_states_daily') }} as states
inner join {{ ref('customer_mrr_monthly') }} as months
    on
        states.customer_id = months.customer_id
        and cast({{ dbt.date_trunc('month', 'states.state_date') }} as date) = months.month_start
where
    extract(month from {{ plus_days('states.state_date', 1) }})
    != extract(month from states.state_date)
    and abs(states.arr - 12 * months.mrr) > 0.005
