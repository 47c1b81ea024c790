with

usage_days as (
    select * from {{ ref('customer_usage_daily') }}
),

value_weeks as (
    select * from {{ ref('int_value_weeks_reached') }}
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

week_ends as (
    select
        usage_days.customer_id,
        cast({{ dbt.date_trunc('week', 'usage_days.activity_date') }} as date) as week_start,
        usage_days.seats_bought
    from usage_days
    cross join measures
    where
        {{ is_week_end('usage_days.activity_date') }}
        and usage_days.is_measured
        and measures.measured_from <= {{ plus_days('usage_days.activity_date', -6) }}
        and measures.has_value
),

customer_weeks as (
    select
        week_ends.customer_id,
        week_ends.week_start,
        coalesce(value_weeks.value_action_count, 0) as value_action_count,
        coalesce(value_weeks.value_user_count, 0) as value_user_count,
        {{ divide(
            'coalesce(value_weeks.value_action_count, 0)', 'week_ends.seats_bought', 'double'
        ) }} as value_actions_per_seat,
        value_weeks.reached_on is not null as is_reached
    from week_ends
    left join value_weeks
        on
            week_ends.customer_id = value_weeks.customer_id
            and week_ends.week_start = value_weeks.week_start
)

select * from customer_weeks
