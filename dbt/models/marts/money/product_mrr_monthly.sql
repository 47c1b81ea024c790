with

valued as (
    select * from {{ ref('int_terms_valued_monthly') }}
),

product_mrr_monthly as (
    select
        customer_id,
        product_key as product_id,
        month_start,
        cast(sum(mrr) as decimal(38, 10)) as mrr
    from valued
    group by customer_id, product_key, month_start
)

select * from product_mrr_monthly
