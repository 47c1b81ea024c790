with

customer_mrr as (
    select * from {{ ref('customer_mrr_monthly') }}
),

-- The month of the first paid term, and the MRR on its last day, stand for the customer. A customer
-- whose MRR has no rate is there, with an unknown amount.
dated as (
    select
        customer_id,
        month_start,
        mrr,
        min(month_start) over (partition by customer_id) as cohort_month,
        first_value(mrr) over (partition by customer_id order by month_start) as first_mrr
    from customer_mrr
),

signup_cohorts as (
    select
        cohort_month,
        {{ month_steps('cohort_month', 'month_start') }} as month_number,
        count(*) as customer_count,
        sum(case when mrr = 0 then 0 else 1 end) as kept_count,
        cast(sum(first_mrr) as decimal(38, 10)) as mrr,
        cast(
            sum(case when mrr > first_mrr then first_mrr when first_mrr is not null then mrr end)
            as decimal(38, 10)
        ) as kept_mrr,
        cast(sum(mrr) as decimal(38, 10)) as closing_mrr
    from dated
    group by cohort_month, month_start
)

select * from signup_cohorts
