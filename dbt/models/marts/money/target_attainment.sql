with

target_versions as (
    {{ current_rows(ref('stg_finance__targets')) }}
),

kpis as (
    select * from {{ ref('kpi_monthly') }}
),

retention as (
    select * from {{ ref('retention_monthly') }}
    where level = 'account' and window_months = 12 and segment_by in ('all', 'segment')
),

north_star_weeks as (
    select * from {{ ref('north_star_weekly') }}
),

targets as (
    select
        {{ month_start('month') }} as month_start,
        metric,
        segment,
        max_by(value, month) as target
    from target_versions
    where vanished_at is null
    group by {{ month_start('month') }}, metric, segment
),

-- The north star of a month is that of its last whole week.
north_star_months as (
    select
        {{ month_start(add_days(6, 'week_start')) }} as month_start,
        max_by(north_star, week_start) as north_star
    from north_star_weeks
    where {{ add_days(6, 'week_start') }} <= {{ as_of_date() }}
    group by {{ month_start(add_days(6, 'week_start')) }}
),

actuals as (
    {%- for metric in [
        'mrr', 'arr', 'new_arr', 'renewed_arr', 'cs_led_arr', 'top10_arr_share',
        'expansion_multiple', 'trial_conversion'
    ] %}
    select
        month_start,
        '{{ metric }}' as metric,
        'all' as segment,
        cast({{ metric }} as double) as actual
    from kpis
    union all
    {%- endfor %}
    {%- for metric in ['grr', 'nrr', 'crr'] %}
    select
        {{ month_start('window_end') }} as month_start,
        '{{ metric }}' as metric,
        segment,
        cast({{ metric }} as double) as actual
    from retention
    union all
    {%- endfor %}
    select
        month_start,
        'north_star' as metric,
        'all' as segment,
        cast(north_star as double) as actual
    from north_star_months
),

target_attainment as (
    select
        targets.month_start,
        targets.metric,
        targets.segment,
        actuals.actual,
        cast(targets.target as double) as target,
        {{ divide('actuals.actual', 'targets.target', 'double') }} as attainment_ratio
    from targets
    left join actuals
        on
            targets.month_start = actuals.month_start
            and targets.metric = actuals.metric
            and targets.segment = actuals.segment
)

select * from target_attainment
