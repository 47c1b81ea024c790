with

usage_days as (
    select * from {{ ref('customer_usage_daily') }}
),

paid_runs as (
    select * from {{ ref('int_customers_paid_runs') }}
    where measure = 'paid'
),

cohorts as (
    select
        customer_id,
        {{ month_start('min(run_start)') }} as cohort_month
    from paid_runs
    group by customer_id
),

-- Whole months in which a feed saw the customer.
customer_months as (
    select
        customer_id,
        {{ month_start('activity_date') }} as month_start,
        max(event_count) > 0 as is_active
    from usage_days
    group by customer_id, {{ month_start('activity_date') }}
    having
        {{ count_when('not is_measured') }} = 0
        and max(activity_date) = {{ month_end(month_start('max(activity_date)')) }}
),

usage_cohorts as (
    select
        cohorts.cohort_month,
        {{ month_steps('cohorts.cohort_month', 'customer_months.month_start') }} as month_number,
        count(*) as customer_count,
        {{ count_when('customer_months.is_active') }} as active_count
    from cohorts
    inner join customer_months
        on
            cohorts.customer_id = customer_months.customer_id
            and cohorts.cohort_month <= customer_months.month_start
    group by 1, 2
),

rated as (
    select
        cohort_month,
        month_number,
        customer_count,
        cast(active_count as bigint) as active_count,
        {{ divide('active_count', 'customer_count', 'double') }} as active_ratio
    from usage_cohorts
)

select * from rated
