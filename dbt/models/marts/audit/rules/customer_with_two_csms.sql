with

owned as (
    select * from {{ ref('int_customers_owned') }}
),

customer_with_two_csms as (
    select
        customer_id,
        cast(null as varchar) as line_id,
        'customers' as entity,
        customer_id as entity_key,
        max(valid_from) as happened_on,
        'Responsible at once: ' || string_agg(distinct employee_id, ', ' order by employee_id)
        || '.' as detail
    from owned
    where role = '{{ var("csm_role") }}' and not has_left
    group by customer_id
    having count(distinct employee_id) > 1
)

select * from customer_with_two_csms
