with

customer_months as (
    select * from {{ ref('customer_mrr_monthly') }}
),

movements as (
    select * from {{ ref('mrr_movements') }}
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

-- A provisional loss that was made good is none.
losses as (
    select
        customer_id,
        month_start,
        max(case when kind = 'churn' then 1 else 0 end)
        - max(case when kind = 'late_renewal' then 1 else 0 end) as loss_count
    from movements
    group by customer_id, month_start
),

compared as (
    select
        paying.*,
        coalesce(losses.loss_count, 0) as loss_count,
        lag(paying.is_paying) over customer_months as was_paying,
        min(case when paying.is_paying then paying.month_start end)
            over (partition by paying.customer_id) as cohort_month
    from paying
    left join losses
        on
            paying.customer_id = losses.customer_id
            and paying.month_start = losses.month_start
    window
        customer_months as (partition by paying.customer_id order by paying.month_start)
)

select * from compared
