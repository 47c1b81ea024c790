with

customer_weeks as (
    select * from {{ ref('north_star_customers_weekly') }}
),

renewals as (
    select * from {{ ref('renewals') }}
    where
        is_mature
        and not is_known_late
        and outcome not in ('lifetime', 'not_due', 'open')
),

looked_at as (
    select
        term_id,
        customer_id,
        term_start,
        outcome,
        {{ last_whole_week(plus_days('due_date', -var('renewal_window_days'))) }} as last_week_start
    from renewals
),

-- Terms that ran through all four weeks, of customers that a feed saw in each.
linked as (
    select
        looked_at.term_id,
        looked_at.outcome,
        max(case when customer_weeks.is_reached then 1 else 0 end) as is_reached
    from looked_at
    inner join customer_weeks
        on
            looked_at.customer_id = customer_weeks.customer_id
            and customer_weeks.week_start <= looked_at.last_week_start
            and customer_weeks.week_start > {{ plus_days('looked_at.last_week_start', -28) }}
            and looked_at.term_start <= customer_weeks.week_start
    group by looked_at.term_id, looked_at.outcome
    having count(*) = 4
),

counted as (
    select
        case when is_reached = 1 then 'reached' else 'not_reached' end as north_star_group,
        count(*) as n,
        {{ count_when("outcome != 'churned'") }} as renewed_count
    from linked
    group by case when is_reached = 1 then 'reached' else 'not_reached' end
),

link as (
    select
        north_star_group,
        n,
        cast(renewed_count as bigint) as renewed_count,
        {{ divide('renewed_count', 'n', 'double') }} as renewal_rate,
        {{ wilson('renewed_count', 'n', 'low') }} as rate_low,
        {{ wilson('renewed_count', 'n', 'high') }} as rate_high
    from counted
)

select * from link
