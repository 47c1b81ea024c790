with

customer_mrr as (
    select * from {{ ref('customer_mrr_monthly') }}
),

-- The month of the first paid term, and the MRR on its last day, stand for the customer. A customer
-- with money without a rate, then or now, is there, with an unknown amount.
dated as (
    select
        customer_id,
        month_start,
        mrr,
        min(month_start) over (partition by customer_id) as cohort_month,
        first_value(mrr) over (partition by customer_id order by month_start) as first_mrr,
        not is_rate_missing
        and not first_value(is_rate_missing) over (partition by customer_id order by month_start)
            as is_comparable
    from customer_mrr
),

signup_cohorts as (
    select
        cohort_month,
        {{ month_steps('cohort_month', 'month_start') }} as month_number,
        count(*) as customer_count,
        sum(case when mrr = 0 then 0 else 1 end) as kept_count,
        cast(sum(case when is_comparable then first_mrr end) as decimal(38, 10)) as mrr,
        cast(sum(case when is_comparable then least(mrr, first_mrr) end) as decimal(38, 10))
            as kept_mrr,
        cast(sum(mrr) as decimal(38, 10)) as closing_mrr
    from dated
    group by cohort_month, month_start
)

select * from signup_cohorts
