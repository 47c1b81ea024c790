{{ config(materialized='view') }}

{{ uses_of_customers(
    ref('int_user_days_rolled_up'),
    [
        'user_id', 'activity_date', 'known_date', 'event_count', 'login_count',
        'core_action_count', 'value_action_count', 'help_view_count', 'duration_seconds'
    ]
) }}
