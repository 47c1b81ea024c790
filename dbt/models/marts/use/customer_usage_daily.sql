with

use_days as (
    select * from {{ ref('int_use_days_counted') }}
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

entitled as (
    select
        entitlements.customer_id,
        greatest(entitlements.entitled_from, spans.first_date) as entitled_from,
        entitlements.entitled_to
    from entitlements
    inner join spans on entitlements.customer_id = spans.customer_id
    where spans.first_date < entitlements.entitled_to
),

changes as (
    {% for moment, sign in [('entitled_from', ''), ('entitled_to', '-')] -%}
    select
        customer_id,
        {{ moment }} as activity_date,
        {{ sign }}1 as entitled,
        cast(0 as decimal(38, 10)) as seats,
        0 as seat_terms
    from entitled
    union all
    {% endfor -%}
    {% for moment, sign in [('term_start', ''), ('effective_end', '-')] -%}
    select
        customer_id,
        {{ moment }} as activity_date,
        0 as entitled,
        {{ sign }}cast(quantity as decimal(38, 10)) as seats,
        {{ sign }}1 as seat_terms
    from terms
    where
        unit = {{ text_literal(var('seat_unit')) }}
        and not is_trial
        and {{ moment }} is not null
        and (effective_end is null or term_start < effective_end)
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- What was bought and may be used, from one change to the next.
bought as (
    select
        customer_id,
        activity_date as valid_from,
        lead(activity_date, 1, {{ far_future() }}) over following as valid_to,
        sum(sum(entitled)) over following as core_features_entitled,
        sum(sum(seats)) over following as seats,
        sum(sum(seat_terms)) over following as seat_terms
    from changes
    group by customer_id, activity_date
    window following as (partition by customer_id order by activity_date)
),

counted as (
    select
        days.customer_id,
        days.activity_date,
        days.is_measured,
        {%- for count, measure in {
            'active_user_count': 'has_users',
            'active_user_count_7d': 'has_users',
            'active_user_count_28d': 'has_users',
            'active_day_count_28d': none,
            'event_count': none,
            'login_count': 'has_logins',
            'core_action_count': 'has_core',
            'value_action_count': 'has_value',
            'help_view_count': 'has_help',
            'core_feature_count_28d': 'has_core',
        }.items() %}
        case
            when {{ 'measures.' ~ measure ~ ' and ' if measure }}days.is_measured
                then coalesce(use_days.{{ count }}, 0)
        end as {{ count }},
        {%- endfor %}
        case when days.is_measured then use_days.duration_seconds end as duration_seconds,
        bought.core_features_entitled,
        case when bought.seat_terms > 0 then bought.seats end as seats_bought
    from days
    cross join measures
    left join use_days
        on
            days.customer_id = use_days.customer_id
            and days.activity_date = use_days.activity_date
    left join bought
        on
            days.customer_id = bought.customer_id
            and bought.valid_from <= days.activity_date
            and days.activity_date < bought.valid_to
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
