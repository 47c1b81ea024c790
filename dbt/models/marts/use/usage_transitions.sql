with

usage_states as (
    select * from {{ ref('usage_states_daily') }}
),

followed as (
    select
        customer_id,
        state_date as transition_date,
        lag(state) over (partition by customer_id order by state_date) as from_state,
        state as to_state,
        lag(days_in_state) over (partition by customer_id order by state_date)
            as days_in_from_state,
        arr
    from usage_states
),

ranked as (
    select
        *,
        {{ state_rank('from_state') }} as from_rank,
        {{ state_rank('to_state') }} as to_rank
    from followed
    where from_state != to_state
),

transitions as (
    select
        customer_id,
        transition_date,
        from_state,
        to_state,
        case
            when to_rank > from_rank then 'improved'
            when to_rank < from_rank then 'worsened'
            else 'lateral'
        end as direction,
        days_in_from_state,
        arr
    from ranked
)

select * from transitions
