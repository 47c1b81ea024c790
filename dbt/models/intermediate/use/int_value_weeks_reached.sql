with

user_days as (
    select * from {{ ref('int_user_days_joined') }}
),

-- A week's use can be known no earlier than the week's end: it is not looked at before.
user_weeks as (
    select
        customer_id,
        user_id,
        cast({{ dbt.date_trunc('week', 'activity_date') }} as date) as week_start,
        greatest(
            known_date, {{ plus_days(dbt.date_trunc('week', 'activity_date'), 6) }}
        ) as known_date,
        sum(value_action_count) as value_action_count
    from user_days
    where value_action_count > 0
    group by
        customer_id,
        user_id,
        cast({{ dbt.date_trunc('week', 'activity_date') }} as date),
        greatest(known_date, {{ plus_days(dbt.date_trunc('week', 'activity_date'), 6) }})
),

first_known as (
    select
        *,
        case
            when user_id is null then 0
            when row_number() over (
                partition by customer_id, user_id, week_start
                order by known_date
            ) = 1 then 1
            else 0
        end as new_user_count
    from user_weeks
),

learnt as (
    select
        customer_id,
        week_start,
        known_date,
        sum(value_action_count) as value_action_count,
        sum(new_user_count) as value_user_count
    from first_known
    group by customer_id, week_start, known_date
),

running as (
    select
        customer_id,
        week_start,
        known_date,
        sum(value_action_count) over to_date as value_action_count,
        sum(value_user_count) over to_date as value_user_count
    from learnt
    window
        to_date as (
            partition by customer_id, week_start
            order by known_date
            rows between unbounded preceding and current row
        )
),

value_weeks as (
    select
        customer_id,
        week_start,
        cast(max(value_action_count) as bigint) as value_action_count,
        cast(max(value_user_count) as bigint) as value_user_count,
        min(
            case
                when
                    value_action_count >= {{ var('north_star_min_actions') }}
                    and value_user_count >= {{ var('north_star_min_users') }}
                    then known_date
            end
        ) as reached_on
    from running
    group by customer_id, week_start
)

select * from value_weeks
