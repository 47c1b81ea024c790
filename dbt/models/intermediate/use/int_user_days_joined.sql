with

joined as (
    {{ uses_of_customers(
        ref('int_user_days_rolled_up'),
        [
            'user_id', 'activity_date', 'known_date', 'event_count', 'repeated_event_count',
            'login_count', 'core_action_count', 'value_action_count', 'help_view_count',
            'duration_seconds'
        ]
    ) }}
),

-- Two tenants of one customer, or two batches of one day, are one user-day.
user_days as (
    select
        customer_id,
        user_id,
        activity_date,
        known_date,
        {{ sum_use_counts('joined', 'bigint') }}
    from joined
    group by customer_id, user_id, activity_date, known_date
)

select * from user_days
