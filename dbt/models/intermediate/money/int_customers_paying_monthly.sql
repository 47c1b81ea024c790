with

customer_months as (
    select * from {{ ref('customer_mrr_monthly') }}
),

runs as (
    select * from {{ ref('int_customers_paid_runs') }}
    where measure = 'mrr'
),

-- Whose MRR has no exchange rate pays all the same.
paying as (
    select
        customer_id,
        month_start,
        mrr,
        is_rate_missing,
        coalesce(mrr, 1) > 0 as is_paying
    from customer_months
),

returns as (
    select
        customer_id,
        {{ month_start('run_start') }} as month_start,
        min_by(
            run_start <= {{ add_days('previous_grace_days', 'previous_run_end') }}, run_start
        ) as is_in_grace
    from runs
    where previous_run_end is not null
    group by customer_id, {{ month_start('run_start') }}
),

compared as (
    select
        paying.*,
        returns.is_in_grace,
        lag(paying.is_paying) over customer_months as was_paying,
        min(case when paying.is_paying then paying.month_start end)
            over (partition by paying.customer_id) as cohort_month
    from paying
    left join returns
        on
            paying.customer_id = returns.customer_id
            and paying.month_start = returns.month_start
    window
        customer_months as (partition by paying.customer_id order by paying.month_start)
),

-- A provisional loss that was made good is none. Who leaves without a rate is lost, too, though no
-- movement has an amount.
paying_monthly as (
    select
        customer_id,
        month_start,
        mrr,
        is_rate_missing,
        is_paying,
        case
            when was_paying and not is_paying then 1
            when not was_paying and is_paying and is_in_grace then -1
            else 0
        end as loss_count,
        was_paying,
        cohort_month
    from compared
)

select * from paying_monthly
