-- Detects customers whose first state, entries and exits do not lead to tonight's state: for every
-- customer and state, opening + entries - exits = closing.
with

states as (
    select * from {{ ref('usage_states_daily') }}
),

flows as (
    select
        customer_id,
        state,
        1 as amount
    from states
    where state_date = (
        select min(firsts.state_date) from states as firsts
        where firsts.customer_id = states.customer_id
    )
    union all
    select
        customer_id,
        to_state as state,
        1 as amount
    from {{ ref('usage_transitions') }}
    union all
    select
        customer_id,
        from_state as state,
        -1 as amount
    from {{ ref('usage_transitions') }}
    union all
    select
        customer_id,
        state,
        -1 as amount
    from states
    where state_date = {{ as_of_date() }}
)

select
    customer_id,
    state,
    sum(amount) as difference
from flows
group by customer_id, state
having sum(amount) != 0
