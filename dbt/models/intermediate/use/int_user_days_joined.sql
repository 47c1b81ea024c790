with

joined as (
    {{ uses_of_customers(
        ref('int_user_days_rolled_up'),
        ['user_id', 'activity_date', 'known_date', 'duration_seconds'] + use_counts()
    ) }}
),

-- Two tenants of one customer, or two batches of one day, are one user-day.
user_days as (
    select
        customer_id,
        user_id,
        activity_date,
        known_date,
        {% for count in use_counts() -%}
        cast(sum({{ count }}) as bigint) as {{ count }},
        {% endfor -%}
        cast(sum(duration_seconds) as bigint) as duration_seconds
    from joined
    group by customer_id, user_id, activity_date, known_date
)

select * from user_days
