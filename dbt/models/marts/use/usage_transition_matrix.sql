with

usage_states as (
    select * from {{ ref('usage_states_daily') }}
),

week_ends as (
    select
        customer_id,
        cast({{ dbt.date_trunc('week', 'state_date') }} as date) as week_start,
        lag(state) over (partition by customer_id order by state_date) as from_state,
        state as to_state,
        lag(arr) over (partition by customer_id order by state_date) as opening_arr,
        arr
    from usage_states
    where {{ is_week_end('state_date') }}
),

cells as (
    select
        week_start,
        coalesce(from_state, 'new') as from_state,
        to_state,
        count(*) as customer_count,
        coalesce(sum(opening_arr), 0) as opening_arr,
        coalesce(sum(arr), 0) as arr
    from week_ends
    group by week_start, from_state, to_state
),

weeks as (
    select distinct week_start from cells
),

pairs as (
    select distinct
        from_state,
        to_state
    from cells
),

-- Every pair that was ever seen, every week: what was expected and did not happen counts, too.
grid as (
    select
        weeks.week_start,
        pairs.from_state,
        pairs.to_state,
        coalesce(cells.customer_count, 0) as customer_count,
        coalesce(cells.opening_arr, 0) as opening_arr,
        coalesce(cells.arr, 0) as arr
    from weeks
    cross join pairs
    left join cells
        on
            weeks.week_start = cells.week_start
            and pairs.from_state = cells.from_state
            and pairs.to_state = cells.to_state
),

followed as (
    select
        *,
        sum(customer_count) over (partition by week_start, from_state) as opening_count,
        sum(customer_count) over weeks_before as baseline_customer_count,
        count(*) over weeks_before as baseline_weeks
    from grid
    window
        weeks_before as (
            partition by from_state, to_state
            order by week_start
            rows between {{ var('matrix_baseline_weeks') }} preceding and 1 preceding
        )
),

totaled as (
    select
        *,
        case
            when baseline_weeks = {{ var('matrix_baseline_weeks') }}
                then sum(baseline_customer_count) over (partition by week_start, from_state)
        end as baseline_count
    from followed
),

expected as (
    select
        *,
        {{ divide('customer_count', 'opening_count', 'double') }} as probability,
        {{ divide('opening_count * baseline_customer_count', 'baseline_count', 'double') }}
            as expected_count
    from totaled
),

matrix as (
    select
        week_start,
        from_state,
        to_state,
        cast(customer_count as bigint) as customer_count,
        cast(opening_count as bigint) as opening_count,
        cast(opening_arr as decimal(38, 10)) as opening_arr,
        cast(arr as decimal(38, 10)) as arr,
        probability,
        cast(baseline_count as bigint) as baseline_count,
        expected_count,
        {{ divide('customer_count - expected_count', 'sqrt(expected_count)', 'double') }}
            as surprise
    from expected
    where customer_count > 0 or expected_count > 0
)

select * from matrix
