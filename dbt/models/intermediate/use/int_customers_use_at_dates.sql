with

signal_dates as (
    select * from {{ ref('int_signal_dates_in_series') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

used_at_dates as (
    select * from {{ ref('int_use_counted_at_dates') }}
    where first_use_date is not null
),

levels_at_dates as (
    select * from {{ ref('int_use_levels_at_dates') }}
),

value_weeks as (
    select * from {{ ref('int_value_weeks_reached') }}
),

customers_measured as (
    select * from {{ ref('int_customers_measured') }}
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

tenant_days as (
    select * from {{ ref('int_tenant_days_rolled_up') }}
    where {{ is_known_use() }}
),

entitlements as (
    select * from {{ ref('int_features_entitled') }}
    where is_core
),

present as (
    select
        customer_id,
        as_of_date,
        known_on
    from money_at_dates
    union
    select
        customer_id,
        as_of_date,
        known_on
    from used_at_dates
),

-- The first day that any feed had shown, as known on each date.
feed_starts as (
    select
        signal_dates.as_of_date,
        signal_dates.known_on,
        min(first_days.activity_date) as seen_from
    from signal_dates
    inner join (
        select
            known_date,
            min(activity_date) as activity_date
        from tenant_days
        group by known_date
    ) as first_days on signal_dates.known_on >= first_days.known_date
    group by signal_dates.as_of_date, signal_dates.known_on
),

value_counts as (
    select
        present.customer_id,
        present.as_of_date,
        present.known_on,
        count(*) as value_week_count_28d
    from present
    inner join signal_dates
        on
            present.as_of_date = signal_dates.as_of_date
            and present.known_on = signal_dates.known_on
    inner join value_weeks
        on
            present.customer_id = value_weeks.customer_id
            and value_weeks.reached_on <= present.known_on
            and value_weeks.week_start <= signal_dates.last_week_start
            and value_weeks.week_start > {{ plus_days('signal_dates.last_week_start', -28) }}
    group by present.customer_id, present.as_of_date, present.known_on
),

entitled_counts as (
    select
        present.customer_id,
        present.as_of_date,
        present.known_on,
        count(*) as entitled_count
    from present
    inner join entitlements
        on
            present.customer_id = entitlements.customer_id
            and (present.known_on = present.as_of_date) = entitlements.is_known_then
            and entitlements.entitled_from <= present.as_of_date
            and present.as_of_date < entitlements.entitled_to
    group by present.customer_id, present.as_of_date, present.known_on
),

described as (
    select
        present.customer_id,
        present.as_of_date,
        present.known_on,
        used_at_dates.first_use_date,
        used_at_dates.last_use_date,
        feed_starts.seen_from,
        coalesce(feed_starts.seen_from <= present.as_of_date, false)
        and (
            used_at_dates.customer_id is not null
            or coalesce(customers_measured.covered_from <= present.known_on, false)
        ) as is_measured,
        -- How long a feed could have shown a first use, in the customer's own time.
        case
            when used_at_dates.customer_id is null
                then least(
                    coalesce(money_at_dates.tenure_days, 0),
                    {{ elapsed_days(
                        'greatest(feed_starts.seen_from, customers_measured.covered_from)',
                        'present.as_of_date'
                    ) }}
                )
        end as days_without_first_use,
        coalesce(used_at_dates.users_7d, 0) as users_7d,
        coalesce(used_at_dates.users_28d, 0) as users_28d,
        coalesce(used_at_dates.users_28d_before, 0) as users_28d_before,
        coalesce(used_at_dates.features_28d, 0) as features_28d,
        coalesce(used_at_dates.core_actions_28d, 0) as core_actions_28d,
        coalesce(money_at_dates.tenure_days, 0) as tenure_days,
        levels_at_dates.segment,
        levels_at_dates.login_trend_slope,
        {{ usage_level_ratio(
            'levels_at_dates', 'money_at_dates.seats_bought', 'levels_at_dates.segment'
        ) }} as usage_level_ratio,
        coalesce(value_counts.value_week_count_28d, 0) as value_week_count_28d,
        entitled_counts.entitled_count as core_features_entitled,
        measures.has_users,
        measures.has_core,
        -- Value is asked of four whole weeks: a feed that began within them has not shown them.
        coalesce(
            measures.has_value
            and feed_starts.seen_from
            <= {{ plus_days(last_whole_week('present.as_of_date'), -21) }},
            false
        ) as has_value
    from present
    cross join measures
    left join feed_starts
        on
            present.as_of_date = feed_starts.as_of_date
            and present.known_on = feed_starts.known_on
    left join money_at_dates
        on
            present.customer_id = money_at_dates.customer_id
            and present.as_of_date = money_at_dates.as_of_date
            and present.known_on = money_at_dates.known_on
    left join used_at_dates
        on
            present.customer_id = used_at_dates.customer_id
            and present.as_of_date = used_at_dates.as_of_date
            and present.known_on = used_at_dates.known_on
    left join levels_at_dates
        on
            present.customer_id = levels_at_dates.customer_id
            and present.as_of_date = levels_at_dates.as_of_date
            and present.known_on = levels_at_dates.known_on
    left join value_counts
        on
            present.customer_id = value_counts.customer_id
            and present.as_of_date = value_counts.as_of_date
            and present.known_on = value_counts.known_on
    left join customers_measured on present.customer_id = customers_measured.customer_id
    left join entitled_counts
        on
            present.customer_id = entitled_counts.customer_id
            and present.as_of_date = entitled_counts.as_of_date
            and present.known_on = entitled_counts.known_on
),

at_dates as (
    select
        customer_id,
        as_of_date,
        known_on,
        seen_from,
        cast({{ dbt.datediff('last_use_date', 'as_of_date', 'day') }} as bigint)
            as days_since_last_use,
        case when is_measured and has_users then users_7d end as active_user_count_7d,
        case when is_measured and has_users then users_28d end as active_user_count_28d,
        case when is_measured and has_users then users_28d_before end
            as active_user_count_28d_before,
        -- Whole weeks without a first use are the lowest level, whatever it is compared with.
        case
            when
                is_measured
                and days_without_first_use >= 7 * {{ state_threshold('level_weeks') }}
                then 0
            when has_users then usage_level_ratio
        end as usage_level_ratio,
        login_trend_slope,
        case
            when login_trend_slope is null then 'unmeasured'
            when login_trend_slope > {{ var('trend_flat_below') }} then 'up'
            when login_trend_slope < -{{ var('trend_flat_below') }} then 'down'
            else 'flat'
        end as login_trend,
        case
            when is_measured and has_core
                then {{ divide('features_28d', 'core_features_entitled', 'double') }}
        end as core_breadth_ratio,
        case
            when is_measured and has_core
                then {{ divide('core_actions_28d', '4 * users_28d', 'double') }}
        end as core_depth_per_week,
        case
            when is_measured and has_value
                then
                    users_7d > 0
                    and coalesce(usage_level_ratio >= {{ state_threshold('low_below') }}, false)
                    and value_week_count_28d = 0
        end as is_used_without_value,
        case when is_measured and has_value then value_week_count_28d end as value_week_count_28d,
        case
            when not is_measured then null
            when last_use_date is not null then true
            -- Who came before the feed may have used it unseen.
            when days_without_first_use >= tenure_days then false
        end as has_use_ever,
        case when is_measured then days_without_first_use end as days_without_first_use
    from described
)

select * from at_dates
