with

user_days as (
    select * from {{ ref('int_user_days_joined') }}
),

feature_days as (
    select * from {{ ref('int_feature_days_joined') }}
),

terms as (
    select * from {{ ref('subscription_terms') }}
),

calendar as (
    select * from {{ ref('calendar') }}
),

customers_measured as (
    select * from {{ ref('int_customers_measured') }}
),

entitlements as (
    select * from {{ ref('int_features_entitled') }}
    where is_core and not is_known_then
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

first_dates as (
    select
        customer_id,
        term_start as first_date
    from terms
    where term_start <= {{ as_of_date() }}
    union all
    select
        customer_id,
        first_use_date as first_date
    from customers_measured
    where first_use_date is not null
),

spans as (
    select
        customer_id,
        min(first_date) as first_date
    from first_dates
    group by customer_id
),

days as (
    select
        spans.customer_id,
        calendar.calendar_date as activity_date,
        coalesce(calendar.calendar_date >= customers_measured.measured_from, false) as is_measured
    from spans
    inner join calendar
        on
            spans.first_date <= calendar.calendar_date
            and calendar.calendar_date <= {{ as_of_date() }}
    left join customers_measured on spans.customer_id = customers_measured.customer_id
),

totals as (
    select
        customer_id,
        activity_date,
        sum(event_count) as event_count,
        sum(login_count) as login_count,
        sum(core_action_count) as core_action_count,
        sum(value_action_count) as value_action_count,
        sum(help_view_count) as help_view_count,
        sum(duration_seconds) as duration_seconds
    from user_days
    group by customer_id, activity_date
),

users as (
    select
        customer_id,
        activity_date,
        {{ days_to_next('activity_date', 'customer_id, user_id') }} as days_to_next,
        {{ days_since_previous('activity_date', 'customer_id, user_id') }} as days_since_previous
    from (
        select distinct
            customer_id,
            user_id,
            activity_date
        from user_days
        where user_id is not null
    ) as distinct_user_days
),

entitled as (
    select
        entitlements.customer_id,
        entitlements.feature,
        greatest(entitlements.entitled_from, spans.first_date) as entitled_from,
        entitlements.entitled_to
    from entitlements
    inner join spans on entitlements.customer_id = spans.customer_id
    where spans.first_date < entitlements.entitled_to
),

features as (
    select
        customer_id,
        feature,
        activity_date,
        {{ days_to_next('activity_date', 'customer_id, feature') }} as days_to_next
    from feature_days
),

features_lasting as (
    select
        customer_id,
        feature,
        activity_date as lasts_from,
        {{ plus_days('activity_date', 'least(28, coalesce(days_to_next, 28))') }} as lasts_to
    from features
),

-- A core feature counts from a use to 28 days later or to its next use, while it is entitled.
features_counted as (
    select
        features_lasting.customer_id,
        greatest(features_lasting.lasts_from, entitled.entitled_from) as counted_from,
        least(features_lasting.lasts_to, entitled.entitled_to) as counted_to
    from features_lasting
    inner join entitled
        on
            features_lasting.customer_id = entitled.customer_id
            and features_lasting.feature = entitled.feature
            and features_lasting.lasts_from < entitled.entitled_to
            and entitled.entitled_from < features_lasting.lasts_to
),

-- A user-day counts in the trailing window until it leaves it or the user's next day takes over:
-- +1 where a run of days begins, -1 where the window has passed its end.
changes as (
    select
        customer_id,
        activity_date,
        count(*) as active_users,
        {{ count_when('days_since_previous is null or days_since_previous >= 7') }} as users_7d,
        {{ count_when('days_since_previous is null or days_since_previous >= 28') }} as users_28d,
        0 as features_28d,
        0 as entitled,
        cast(0 as decimal(38, 10)) as seats,
        0 as seat_terms
    from users
    group by customer_id, activity_date
    {% for days in [7, 28] %}
    union all
    select
        customer_id,
        {{ plus_days('activity_date', days) }} as activity_date,
        0 as active_users,
        {{ '-count(*)' if days == 7 else '0' }} as users_7d,
        {{ '-count(*)' if days == 28 else '0' }} as users_28d,
        0 as features_28d,
        0 as entitled,
        cast(0 as decimal(38, 10)) as seats,
        0 as seat_terms
    from users
    where days_to_next is null or days_to_next >= {{ days }}
    group by customer_id, activity_date
    {% endfor %}
    {% for relation, moment, sign in [
        ('features_counted', 'counted_from', ''), ('features_counted', 'counted_to', '-'),
        ('entitled', 'entitled_from', ''), ('entitled', 'entitled_to', '-')
    ] %}
    union all
    select
        customer_id,
        {{ moment }} as activity_date,
        0 as active_users,
        0 as users_7d,
        0 as users_28d,
        {{ sign ~ 'count(*)' if relation == 'features_counted' else '0' }} as features_28d,
        {{ sign ~ 'count(*)' if relation == 'entitled' else '0' }} as entitled,
        cast(0 as decimal(38, 10)) as seats,
        0 as seat_terms
    from {{ relation }}
    group by customer_id, {{ moment }}
    {% endfor %}
    {% for moment, sign in [('term_start', ''), ('effective_end', '-')] %}
    union all
    select
        customer_id,
        {{ moment }} as activity_date,
        0 as active_users,
        0 as users_7d,
        0 as users_28d,
        0 as features_28d,
        0 as entitled,
        {{ sign }}cast(quantity as decimal(38, 10)) as seats,
        {{ sign }}1 as seat_terms
    from terms
    where
        unit = {{ text_literal(var('seat_unit')) }}
        and not is_trial
        and {{ moment }} is not null
        and (effective_end is null or term_start < effective_end)
    {% endfor %}
),

changes_by_day as (
    select
        customer_id,
        activity_date,
        sum(active_users) as active_users,
        sum(users_7d) as users_7d,
        sum(users_28d) as users_28d,
        sum(features_28d) as features_28d,
        sum(entitled) as entitled,
        sum(seats) as seats,
        sum(seat_terms) as seat_terms
    from changes
    group by customer_id, activity_date
),

running as (
    select
        days.customer_id,
        days.activity_date,
        days.is_measured,
        coalesce(changes_by_day.active_users, 0) as active_users,
        coalesce(totals.event_count, 0) as event_count,
        coalesce(totals.login_count, 0) as login_count,
        coalesce(totals.core_action_count, 0) as core_action_count,
        coalesce(totals.value_action_count, 0) as value_action_count,
        coalesce(totals.help_view_count, 0) as help_view_count,
        totals.duration_seconds,
        sum(changes_by_day.users_7d) over to_date as users_7d,
        sum(changes_by_day.users_28d) over to_date as users_28d,
        sum(changes_by_day.features_28d) over to_date as features_28d,
        sum(changes_by_day.entitled) over to_date as entitled,
        sum(changes_by_day.seats) over to_date as seats,
        sum(changes_by_day.seat_terms) over to_date as seat_terms,
        count(totals.event_count) over (
            partition by days.customer_id
            order by days.activity_date
            rows between 27 preceding and current row
        ) as active_days_28d
    from days
    left join changes_by_day
        on
            days.customer_id = changes_by_day.customer_id
            and days.activity_date = changes_by_day.activity_date
    left join totals
        on
            days.customer_id = totals.customer_id
            and days.activity_date = totals.activity_date
    window
        to_date as (
            partition by days.customer_id
            order by days.activity_date
            rows between unbounded preceding and current row
        )
),

counted as (
    select
        running.customer_id,
        running.activity_date,
        running.is_measured,
        case when running.is_measured then running.active_users end as active_user_count,
        case when running.is_measured then coalesce(running.users_7d, 0) end
            as active_user_count_7d,
        case when running.is_measured then coalesce(running.users_28d, 0) end
            as active_user_count_28d,
        case when running.is_measured then running.active_days_28d end as active_day_count_28d,
        case when running.is_measured then running.event_count end as event_count,
        case when running.is_measured and measures.has_logins then running.login_count end
            as login_count,
        case when running.is_measured and measures.has_core then running.core_action_count end
            as core_action_count,
        case when running.is_measured and measures.has_value then running.value_action_count end
            as value_action_count,
        case when running.is_measured and measures.has_help then running.help_view_count end
            as help_view_count,
        case
            when running.is_measured and measures.has_core then coalesce(running.features_28d, 0)
        end as core_feature_count_28d,
        running.entitled as core_features_entitled,
        case when running.is_measured then running.duration_seconds end as duration_seconds,
        case when running.seat_terms > 0 then running.seats end as seats_bought
    from running
    cross join measures
),

usage_days as (
    select
        customer_id,
        activity_date,
        is_measured,
        cast(active_user_count as bigint) as active_user_count,
        cast(active_user_count_7d as bigint) as active_user_count_7d,
        cast(active_user_count_28d as bigint) as active_user_count_28d,
        {{ divide('active_user_count_7d', 'active_user_count_28d', 'double') }} as wau_mau_ratio,
        cast(active_day_count_28d as bigint) as active_day_count_28d,
        cast(login_count as bigint) as login_count,
        cast(event_count as bigint) as event_count,
        cast(core_action_count as bigint) as core_action_count,
        cast(value_action_count as bigint) as value_action_count,
        cast(core_feature_count_28d as bigint) as core_feature_count_28d,
        {{ divide('core_feature_count_28d', 'core_features_entitled', 'double') }}
            as core_breadth_ratio,
        cast(help_view_count as bigint) as help_view_count,
        {{ divide('duration_seconds', 60) }} as minutes_online,
        cast(seats_bought as decimal(20, 6)) as seats_bought,
        {{ divide('active_user_count_28d', 'seats_bought', 'double') }} as login_ratio
    from counted
)

select * from usage_days
