with

learnt as (
    select * from {{ ref('int_use_weeks_learnt') }}
    where value_action_count > 0
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
