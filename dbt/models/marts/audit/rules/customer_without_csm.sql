with

owned as (
    select * from {{ ref('int_customers_owned') }}
),

customer_without_csm as (
    select
        customer_id,
        cast(null as varchar) as line_id,
        'customers' as entity,
        customer_id as entity_key,
        cast(null as date) as happened_on,
        'Pays, and no CSM is responsible.' as detail
    from owned
    group by customer_id
    having count(case when role = '{{ var("csm_role") }}' then 1 end) = 0
)

select * from customer_without_csm
