-- Detects customers and months whose movements, from the first month on, do not sum to their MRR.
with

customer_mrr as (
    select * from {{ ref('customer_mrr_monthly') }}
),

moved as (
    select
        customer_id,
        month_start,
        sum(amount) as amount
    from {{ ref('mrr_movements') }}
    group by customer_id, month_start
),

compared as (
    select
        customer_mrr.customer_id,
        customer_mrr.month_start,
        customer_mrr.mrr,
        sum(coalesce(moved.amount, 0)) over (
            partition by customer_mrr.customer_id
            order by customer_mrr.month_start
            rows between unbounded preceding and current row
        ) as moved_mrr
    from customer_mrr
    left join moved
        on
            customer_mrr.customer_id = moved.customer_id
            and customer_mrr.month_start = moved.month_start
)

select *
from compared
where abs(mrr - moved_mrr) > 0.005
