with

owned as (
    select * from {{ ref('int_customers_owned') }}
),

csms as (
    select * from owned
    where role = '{{ var("csm_role") }}'
),

-- Where nobody holds the role, the company does not know it.
customer_without_csm as (
    select distinct
        customer_id,
        cast(null as varchar) as line_id,
        'customers' as entity,
        customer_id as entity_key,
        cast(null as date) as happened_on,
        'Pays, and no CSM is responsible.' as detail
    from owned
    where
        exists (select 1 from csms)
        and not exists (select 1 from csms where csms.customer_id = owned.customer_id)
)

select * from customer_without_csm
