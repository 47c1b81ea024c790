{{
    config(
        materialized='incremental',
        database='cache',
        pre_hook='{{ forget_counted_days(this) if is_incremental() else "select 1" }}'
    )
}}

with

dates as (
    select * from {{ ref('int_use_dates_digested') }}
),

customers as (
    select * from {{ ref('int_customers_measured') }}
    where first_use_date is not null
),

entitlements as (
    select * from {{ ref('int_features_entitled') }}
    where is_core and not is_known_then
),

customer_dates as (
    select
        customers.customer_id,
        dates.activity_date,
        dates.dates_digest,
        customers.customer_digest
    from customers
    inner join dates on customers.first_use_date <= dates.activity_date
),

missing as (
    select * from customer_dates
    {{ where_not_kept('customer_dates', ['customer_id', 'activity_date']) }}
),

{{ accounts_to_read(['activity_date']) }}

{% if is_incremental() -%}
dates_looked_at as (
    select distinct
        {{ plus_days('days.activity_date', '1 - cast(days_back.generated_number as integer)') }}
            as activity_date
    from (select distinct missing_else.activity_date from missing_else) as days
    cross join ({{ dbt.generate_series(28) }}) as days_back
),

{% endif -%}
{#- The first date says nothing new, but what is older is not even read. #}
{%- set looked_at %}
    activity_date >= (select min(dates_looked_at.activity_date) from dates_looked_at)
    and activity_date in (select dates_looked_at.activity_date from dates_looked_at)
{%- endset %}

{%- set columns = [
    'user_id', 'activity_date', 'event_count', 'login_count', 'core_action_count',
    'value_action_count', 'help_view_count', 'duration_seconds'
] %}

user_days as (
    {{ uses_to_read(ref('int_user_days_rolled_up'), columns, looked_at) }}
),

feature_days as (
    select distinct * from (
        {{ uses_to_read(
            ref('int_tenant_feature_days_rolled_up'),
            ['feature', 'activity_date'],
            looked_at,
            'feature in (select entitlements.feature from entitlements)'
        ) }}
    ) as feature_days_of_accounts
),

totals as (
    select
        customer_id,
        activity_date,
        {{ sum_use_counts('user_days') }}
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

features_lasting as (
    select
        customer_id,
        feature,
        activity_date as lasts_from,
        {{ plus_days('activity_date', 'least(28, coalesce(days_to_next, 28))') }} as lasts_to
    from (
        select
            *,
            {{ days_to_next('activity_date', 'customer_id, feature') }} as days_to_next
        from feature_days
    ) as features_followed
),

-- A core feature counts from a use to 28 days later or to its next use, while it is entitled.
features_counted as (
    select
        features_lasting.customer_id,
        greatest(features_lasting.lasts_from, entitlements.entitled_from) as counted_from,
        least(features_lasting.lasts_to, entitlements.entitled_to) as counted_to
    from features_lasting
    inner join entitlements
        on
            features_lasting.customer_id = entitlements.customer_id
            and features_lasting.feature = entitlements.feature
            and features_lasting.lasts_from < entitlements.entitled_to
            and entitlements.entitled_from < features_lasting.lasts_to
),

-- A user-day counts in the trailing window until it leaves it or the user's next day takes over:
-- +1 where a run of days begins, -1 where the window has passed its end.
changes as (
    {% set starts = 'days_since_previous is null or days_since_previous >= ' -%}
    {%- set ends = 'days_to_next is null or days_to_next >= ' -%}
    {%- for relation, moment, users_7d, users_28d, active_days, core_features in [
        ('users', 'activity_date', count_when(starts ~ 7), count_when(starts ~ 28), 0, 0),
        ('users', plus_days('activity_date', 7), '-' ~ count_when(ends ~ 7), 0, 0, 0),
        ('users', plus_days('activity_date', 28), 0, '-' ~ count_when(ends ~ 28), 0, 0),
        ('totals', 'activity_date', 0, 0, 'count(*)', 0),
        ('totals', plus_days('activity_date', 28), 0, 0, '-count(*)', 0),
        ('features_counted', 'counted_from', 0, 0, 0, 'count(*)'),
        ('features_counted', 'counted_to', 0, 0, 0, '-count(*)')
    ] %}
    select
        customer_id,
        {{ moment }} as activity_date,
        {{ users_7d }} as users_7d,
        {{ users_28d }} as users_28d,
        {{ active_days }} as active_days_28d,
        {{ core_features }} as core_features_28d
    from {{ relation }}
    group by customer_id, {{ moment }}
    union all
    {% endfor -%}
    -- A missing day changes nothing; it is where the sums are read.
    select
        customer_id,
        activity_date,
        0 as users_7d,
        0 as users_28d,
        0 as active_days_28d,
        0 as core_features_28d
    from missing
),

active_users as (
    select
        customer_id,
        activity_date,
        count(*) as active_user_count
    from users
    group by customer_id, activity_date
),

running as (
    select
        customer_id,
        activity_date,
        sum(sum(users_7d)) over to_date as users_7d,
        sum(sum(users_28d)) over to_date as users_28d,
        sum(sum(active_days_28d)) over to_date as active_days_28d,
        sum(sum(core_features_28d)) over to_date as core_features_28d
    from changes
    group by customer_id, activity_date
    window
        to_date as (
            partition by customer_id
            order by activity_date
            rows between unbounded preceding and current row
        )
),

use_days as (
    select
        missing.customer_id,
        missing.activity_date,
        missing.dates_digest,
        missing.customer_digest,
        cast(coalesce(active_users.active_user_count, 0) as bigint) as active_user_count,
        cast(running.users_7d as bigint) as active_user_count_7d,
        cast(running.users_28d as bigint) as active_user_count_28d,
        cast(running.active_days_28d as bigint) as active_day_count_28d,
        cast(running.core_features_28d as bigint) as core_feature_count_28d,
        {%- for count in [
            'event_count', 'login_count', 'core_action_count', 'value_action_count',
            'help_view_count'
        ] %}
        cast(coalesce(totals.{{ count }}, 0) as bigint) as {{ count }},
        {%- endfor %}
        totals.duration_seconds
    from missing
    inner join running
        on
            missing.customer_id = running.customer_id
            and missing.activity_date = running.activity_date
    left join active_users
        on
            missing.customer_id = active_users.customer_id
            and missing.activity_date = active_users.activity_date
    left join totals
        on
            missing.customer_id = totals.customer_id
            and missing.activity_date = totals.activity_date
)

select * from use_days
