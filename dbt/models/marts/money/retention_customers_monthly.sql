with

windows as (
    select * from {{ ref('int_mrr_windows') }}
),

retention_customers_monthly as (
    select
        unit_id as customer_id,
        window_end,
        window_months,
        window_start,
        opening_mrr,
        retained_mrr,
        closing_mrr,
        has_returned
    from windows
    where unit_kind = 'account'
)

select * from retention_customers_monthly
