with

progress as (
    select * from {{ ref('onboarding_progress') }}
),

activations as (
    select * from {{ ref('activations') }}
),

customers as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

-- On time is asked of steps whose day has passed only: early ones alone would look too good.
steps as (
    select
        progress.step,
        customers.segment,
        progress.duration_days,
        case when progress.due_on < night.as_of_date then progress.is_on_time end as is_on_time
    from progress
    cross join night
    inner join customers on progress.customer_id = customers.customer_id
),

steps_grouped as (
    select
        step,
        'all' as segment,
        duration_days,
        is_on_time
    from steps
    union all
    select
        step,
        segment,
        duration_days,
        is_on_time
    from steps
    where segment is not null
),

step_times as (
    select
        step,
        segment,
        cast(count(duration_days) as bigint) as n,
        cast({{ percentile('duration_days', 0.5) }} as double) as p50_days,
        cast({{ percentile('duration_days', 0.9) }} as double) as p90_days,
        cast(count(is_on_time) as bigint) as due_count,
        {{ divide(count_when('is_on_time'), 'count(is_on_time)', 'double') }} as on_time_ratio
    from steps_grouped
    group by step, segment
),

followed_customers as (
    select
        activations.segment,
        activations.followed_days,
        activations.is_censored,
        {{ add_days(var('first_value_days'), 'activations.clock_date') }} <= night.as_of_date
            as is_due
    from activations
    cross join night
    where activations.is_censored is not null
),

followed as (
    select
        'all' as segment,
        followed_days,
        is_censored,
        is_due
    from followed_customers
    union all
    select
        segment,
        followed_days,
        is_censored,
        is_due
    from followed_customers
    where segment is not null
),

days_followed as (
    select
        segment,
        followed_days,
        count(*) as customer_count,
        {{ count_when('not is_censored') }} as reached_count
    from followed
    group by segment, followed_days
),

at_risk as (
    select
        *,
        sum(customer_count) over (
            partition by segment
            order by followed_days desc
            rows between unbounded preceding and current row
        ) as at_risk_count
    from days_followed
),

-- Kaplan and Meier: the share still waiting is the product of those who stayed waiting each day.
-- The tiny number stands for none, whose logarithm there is not.
waiting as (
    select
        segment,
        followed_days,
        exp(
            sum(
                ln(greatest(at_risk_count - reached_count, 1e-300) / cast(at_risk_count as double))
            ) over (
                partition by segment
                order by followed_days
                rows between unbounded preceding and current row
            )
        ) as waiting_share
    from at_risk
),

waiting_times as (
    select
        segment,
        min(case when waiting_share <= 0.5 + 1e-9 then followed_days end) as p50_days,
        min(case when waiting_share <= 0.1 + 1e-9 then followed_days end) as p90_days
    from waiting
    group by segment
),

first_values as (
    select
        segment,
        count(*) as n,
        {{ count_when('is_due') }} as due_count,
        {{ count_when(
            'is_due and not is_censored and followed_days <= ' ~ var('first_value_days')
        ) }} as on_time_count
    from followed
    group by segment
),

first_value_times as (
    select
        'first_value' as step,
        first_values.segment,
        cast(first_values.n as bigint) as n,
        cast(waiting_times.p50_days as double) as p50_days,
        cast(waiting_times.p90_days as double) as p90_days,
        cast(first_values.due_count as bigint) as due_count,
        {{ divide('first_values.on_time_count', 'first_values.due_count', 'double') }}
            as on_time_ratio
    from first_values
    inner join waiting_times on first_values.segment = waiting_times.segment
),

-- A step that a company calls so itself has the name.
onboarding_step_times as (
    select * from step_times
    union all
    select * from first_value_times
    where not exists (select 1 from step_times where step_times.step = first_value_times.step)
)

select * from onboarding_step_times
