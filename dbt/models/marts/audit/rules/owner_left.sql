with

owned as (
    select * from {{ ref('int_customers_owned') }}
),

owner_left as (
    select
        customer_id,
        cast(null as varchar) as line_id,
        'ownerships' as entity,
        owner_key as entity_key,
        left_on as happened_on,
        'Its ' || role || ' ' || employee_id || ' left on ' || cast(left_on as varchar)
        || '.' as detail
    from owned
    where has_left
)

select * from owner_left
