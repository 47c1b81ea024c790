-- Detects transitions written while the customer's feeds were out.
select
    transitions.customer_id,
    transitions.transition_date
from {{ ref('usage_transitions') }} as transitions
inner join {{ ref('usage_states_daily') }} as states
    on
        transitions.customer_id = states.customer_id
        and transitions.transition_date = states.state_date
where states.is_frozen
