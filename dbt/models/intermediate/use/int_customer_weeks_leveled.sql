with

usage_days as (
    select * from {{ ref('customer_usage_daily') }}
),

outage_days as (
    select * from {{ ref('int_customer_outage_days') }}
    where judged_by = 'in_week'
),

customers_measured as (
    select * from {{ ref('int_customers_measured') }}
),

segment_days as (
    {{ days_in_segments() }}
),

week_ends as (
    select
        usage_days.customer_id,
        segment_days.segment,
        cast({{ dbt.date_trunc('week', 'usage_days.activity_date') }} as date) as week_start,
        usage_days.active_user_count_7d as active_user_count
    from usage_days
    inner join customers_measured on usage_days.customer_id = customers_measured.customer_id
    left join segment_days
        on
            usage_days.customer_id = segment_days.customer_id
            and segment_days.valid_from <= usage_days.activity_date
            and usage_days.activity_date < segment_days.valid_to
    where
        {{ is_week_end('usage_days.activity_date') }}
        and customers_measured.first_use_date <= {{ plus_days('usage_days.activity_date', -6) }}
),

outage_weeks as (
    select distinct
        customer_id,
        cast({{ dbt.date_trunc('week', 'outage_date') }} as date) as week_start
    from outage_days
),

-- Whole weeks of measured use only: from the first use on, without those of an outage.
complete_weeks as (
    select
        week_ends.customer_id,
        week_ends.segment,
        week_ends.week_start,
        week_ends.active_user_count,
        row_number() over (
            partition by week_ends.customer_id
            order by week_ends.week_start
        ) as week_no
    from week_ends
    where
        not exists (
            select 1 from outage_weeks
            where
                outage_weeks.customer_id = week_ends.customer_id
                and outage_weeks.week_start = week_ends.week_start
        )
),

leveled as (
    {{ level_weeks('complete_weeks', ['customer_id'], 'week_start') }}
),

{%- set weeks = 'partition by customer_id order by week_start' %}

compared as (
    select
        *,
        {{ lowest_usual_users('active_user_count', weeks) }} as lowest_usual_user_count,
        {{ most_recent_users('active_user_count', weeks) }} as recent_user_count
    from leveled
),

judged as (
    select
        customer_id,
        week_start,
        level_user_count,
        best_user_count,
        coalesce(
            recent_user_count < lowest_usual_user_count
            and lowest_usual_user_count - recent_user_count
            >= {{ state_threshold('declining_min_users') }},
            false
        ) as is_declining
    from compared
),

-- A week that an outage fell into stands for the level of the week before.
carried as (
    select
        week_ends.customer_id,
        week_ends.week_start,
        {%- for column in ['level_user_count', 'best_user_count', 'is_declining'] %}
        {{ last_known('judged.' ~ column) }} over to_date as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from week_ends
    left join judged
        on
            week_ends.customer_id = judged.customer_id
            and week_ends.week_start = judged.week_start
    window
        to_date as (
            partition by week_ends.customer_id
            order by week_ends.week_start
            rows between unbounded preceding and current row
        )
)

select * from carried
