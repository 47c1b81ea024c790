-- Detects customer-days with use data and no state, or with a state and no use data.
select
    usage_days.customer_id as usage_customer_id,
    states.customer_id as state_customer_id,
    coalesce(usage_days.activity_date, states.state_date) as missing_date
from {{ ref('customer_usage_daily') }} as usage_days
full outer join {{ ref('usage_states_daily') }} as states
    on
        usage_days.customer_id = states.customer_id
        and usage_days.activity_date = states.state_date
where usage_days.customer_id is null or states.customer_id is null
