-- Detects weeks and states in which the rows of the matrix do not add up to the customers and the
-- ARR there were at the week's start, its columns to those at its end, opening + entries - exits
-- to closing, or its probabilities to 1.
with

matrix as (
    select * from {{ ref('usage_transition_matrix') }}
),

sundays as (
    select
        cast({{ dbt.date_trunc('week', 'state_date') }} as date) as week_start,
        state,
        count(*) as customer_count,
        coalesce(sum(arr), 0) as arr
    from {{ ref('usage_states_daily') }}
    where {{ is_week_end('state_date') }}
    group by week_start, state
),

openings as (
    select
        week_start,
        from_state as state,
        sum(customer_count) as customer_count,
        sum(opening_arr) as arr,
        sum(probability) as probability,
        sum(case when to_state != from_state then customer_count else 0 end) as exits
    from matrix
    where from_state != 'new'
    group by week_start, from_state
),

closings as (
    select
        week_start,
        to_state as state,
        sum(customer_count) as customer_count,
        sum(arr) as arr,
        sum(case when to_state != from_state then customer_count else 0 end) as entries
    from matrix
    group by week_start, to_state
),

weeks as (
    select distinct week_start from sundays
),

-- Every state a matrix or a Sunday knows, in every week.
states as (
    select state from sundays
    union
    select from_state as state from matrix
    where from_state != 'new'
),

compared as (
    select
        weeks.week_start,
        states.state,
        coalesce(openings.customer_count, 0) as opening_count,
        coalesce(before.customer_count, 0) as opening_count_told,
        coalesce(closings.customer_count, 0) as closing_count,
        coalesce(sundays.customer_count, 0) as closing_count_told,
        coalesce(closings.entries, 0) as entries,
        coalesce(openings.exits, 0) as exits,
        openings.probability,
        openings.arr as opening_arr,
        before.arr as opening_arr_told,
        closings.arr as closing_arr,
        sundays.arr as closing_arr_told
    from weeks
    cross join states
    left join openings
        on weeks.week_start = openings.week_start and states.state = openings.state
    left join closings
        on weeks.week_start = closings.week_start and states.state = closings.state
    left join sundays on weeks.week_start = sundays.week_start and states.state = sundays.state
    left join sundays as before
        on
            weeks.week_start = {{ plus_days('before.week_start', 7) }}
            and states.state = before.state
)

select *
from compared
where
    opening_count != opening_count_told
    or closing_count != closing_count_told
    or opening_count + entries - exits != closing_count
    or abs(probability - 1) > 1e-9
    or (opening_count > 0 and opening_arr is distinct from opening_arr_told)
    or (closing_count > 0 and closing_arr is distinct from closing_arr_told)
