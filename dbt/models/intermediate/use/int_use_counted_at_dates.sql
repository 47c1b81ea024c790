{{
    config(
        materialized='incremental',
        database='cache',
        pre_hook='{{ forget_counted_at_dates(this) if is_incremental() else "select 1" }}'
    )
}}

with

at_dates as (
    select * from {{ ref('int_use_at_dates_digested') }}
),

missing as (
    select * from at_dates
    {{ where_not_kept('at_dates', ['customer_id', 'as_of_date', 'known_on']) }}
),

{{ accounts_to_read(['as_of_date', 'known_on']) }}

{%- set looked_at %}
    activity_date > (
        select {{ plus_days('min(missing_else.as_of_date)', -56) }} from missing_else
    )
{%- endset %}

entitlements as (
    select * from {{ ref('int_features_entitled') }}
    where is_core
),

{% for things, roll_up, thing, condition in [
    ('user_days', ref('int_user_days_rolled_up'), 'user_id', 'user_id is not null'),
    (
        'feature_days', ref('int_tenant_feature_days_rolled_up'), 'feature',
        'feature in (select entitlements.feature from entitlements)'
    )
] -%}
{{ things }} as (
    {{ uses_to_read(roll_up, [thing, 'activity_date', 'known_date'], looked_at, condition) }}
),

{% endfor -%}
tenant_days as (
    {{ uses_of_customers(
        ref('int_tenant_days_rolled_up'), ['activity_date', 'known_date', 'core_action_count']
    ) }}
),

signal_dates as (
    select * from {{ ref('int_signal_dates_in_series') }}
),

-- A customer is counted in the series of its missing dates alone.
series as (
    select distinct
        missing.customer_id,
        signal_dates.series_id,
        signal_dates.is_known_then,
        signal_dates.anchor_date,
        signal_dates.last_date
    from missing
    inner join signal_dates
        on
            missing.as_of_date = signal_dates.as_of_date
            and missing.known_on = signal_dates.known_on
),

customer_days as (
    select
        customer_id,
        activity_date,
        known_date,
        sum(core_action_count) as core_action_count
    from tenant_days
    where customer_id in (select missing.customer_id from missing)
    group by customer_id, activity_date, known_date
),

-- Use of a customer in the week before each date of a series, from the date it is known at.
customer_weeks as (
    select
        customer_days.customer_id,
        series.series_id,
        {{ weeks_after('series.anchor_date', 'customer_days.activity_date') }} as position,
        {{ known_position('customer_days') }} as known_position,
        min(customer_days.activity_date) as first_use_date,
        max(customer_days.activity_date) as last_use_date,
        sum(customer_days.core_action_count) as core_action_count
    from customer_days
    inner join series
        on
            customer_days.customer_id = series.customer_id
            and customer_days.activity_date <= series.last_date
    group by 1, 2, 3, 4
),

{% for thing, relation in [('user_id', 'user_days'), ('feature', 'feature_days')] %}
{{ thing }}_weeks as (
    select
        {{ relation }}.customer_id,
        {{ relation }}.{{ thing }},
        series.series_id,
        {{ weeks_after('series.anchor_date', relation ~ '.activity_date') }} as position,
        min({{ known_position(relation) }}) as known_position
    from {{ relation }}
    inner join series
        on
            {{ relation }}.customer_id = series.customer_id
            and {{ relation }}.activity_date <= series.last_date
            and {{ relation }}.activity_date > {{ plus_days('series.anchor_date', -56) }}
    group by 1, 2, 3, 4
),

-- A week of use counts at the dates of its window from the one it is known at, until the thing's
-- next week counts: each thing once at every date, however late a week became known.
{{ thing }}_followed as (
    select
        customer_id,
        {{ thing }},
        series_id,
        position,
        known_position,
        min(greatest(position, known_position)) over following as next_28d,
        min(greatest(position + 4, known_position)) over following as next_28d_before
    from {{ thing }}_weeks
    window
        following as (
            partition by customer_id, {{ thing }}, series_id
            order by position
            rows between 1 following and unbounded following
        )
),
{% endfor %}

-- A core feature counts at the dates on which it is entitled.
features_entitled as (
    select
        feature_followed.customer_id,
        feature_followed.series_id,
        greatest(
            feature_followed.position,
            feature_followed.known_position,
            {{ weeks_after('series.anchor_date', 'entitlements.entitled_from') }}
        ) as span_start,
        least(
            feature_followed.position + 4,
            coalesce(feature_followed.next_28d, feature_followed.position + 4),
            {{ weeks_after('series.anchor_date', 'entitlements.entitled_to') }}
        ) as span_end
    from feature_followed
    inner join series
        on
            feature_followed.customer_id = series.customer_id
            and feature_followed.series_id = series.series_id
    inner join entitlements
        on
            feature_followed.customer_id = entitlements.customer_id
            and feature_followed.feature = entitlements.feature
            and series.is_known_then = entitlements.is_known_then
),

spans as (
    select
        customer_id,
        series_id,
        'users_7d' as measure,
        position as span_start,
        position + 1 as span_end,
        1 as amount
    from user_id_followed
    where known_position <= position
    union all
    select
        customer_id,
        series_id,
        'users_28d' as measure,
        greatest(position, known_position) as span_start,
        least(position + 4, coalesce(next_28d, position + 4)) as span_end,
        1 as amount
    from user_id_followed
    union all
    select
        customer_id,
        series_id,
        'users_28d_before' as measure,
        greatest(position + 4, known_position) as span_start,
        least(position + 8, coalesce(next_28d_before, position + 8)) as span_end,
        1 as amount
    from user_id_followed
    union all
    select
        customer_id,
        series_id,
        'features_28d' as measure,
        span_start,
        span_end,
        1 as amount
    from features_entitled
    union all
    select
        customer_id,
        series_id,
        'core_actions_28d' as measure,
        greatest(position, known_position) as span_start,
        position + 4 as span_end,
        core_action_count as amount
    from customer_weeks
),

{%- set measures = [
    'users_7d', 'users_28d', 'users_28d_before', 'features_28d', 'core_actions_28d'
] %}

changes as (
    select
        customer_id,
        series_id,
        greatest(span_start, 0) as position,
        measure,
        amount
    from spans
    where span_start < span_end
    union all
    select
        customer_id,
        series_id,
        greatest(span_end, 0) as position,
        measure,
        -amount as amount
    from spans
    where span_start < span_end
),

changes_at_positions as (
    select
        customer_id,
        series_id,
        position,
        {%- for measure in measures %}
        sum(case when measure = '{{ measure }}' then amount else 0 end) as {{ measure }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from changes
    group by customer_id, series_id, position
),

uses_at_positions as (
    select
        customer_id,
        series_id,
        greatest(position, known_position, 0) as position,
        min(first_use_date) as first_use_date,
        max(last_use_date) as last_use_date
    from customer_weeks
    group by customer_id, series_id, greatest(position, known_position, 0)
),

running as (
    select
        series.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        signal_dates.last_week_start,
        {%- for measure in measures %}
        cast(coalesce(sum(changes_at_positions.{{ measure }}) over to_date, 0) as bigint)
            as {{ measure }},
        {%- endfor %}
        min(uses_at_positions.first_use_date) over to_date as first_use_date,
        max(uses_at_positions.last_use_date) over to_date as last_use_date
    from series
    inner join signal_dates on series.series_id = signal_dates.series_id
    left join changes_at_positions
        on
            series.customer_id = changes_at_positions.customer_id
            and signal_dates.series_id = changes_at_positions.series_id
            and signal_dates.position = changes_at_positions.position
    left join uses_at_positions
        on
            series.customer_id = uses_at_positions.customer_id
            and signal_dates.series_id = uses_at_positions.series_id
            and signal_dates.position = uses_at_positions.position
    window
        to_date as (
            partition by series.customer_id, signal_dates.series_id
            order by signal_dates.position
            rows between unbounded preceding and current row
        )
),

counted as (
    select
        missing.customer_id,
        missing.as_of_date,
        missing.known_on,
        missing.digest,
        running.last_week_start,
        {%- for measure in measures %}
        running.{{ measure }},
        {%- endfor %}
        running.first_use_date,
        running.last_use_date
    from missing
    inner join running
        on
            missing.customer_id = running.customer_id
            and missing.as_of_date = running.as_of_date
            and missing.known_on = running.known_on
)

select * from counted
