with

orders as (
    select * from {{ ref('int_orders_adjusted') }}
    where
        known_to is null
        and vanished_at is null
        and (approved_at is not null or status = 'submitted')
),

-- From the signature, else from the order; who still waits, waits until tonight.
waited as (
    select
        *,
        {{ elapsed_days(
            company_date('coalesce(signed_at, ordered_at)'),
            'coalesce(' ~ company_date('approved_at') ~ ', ' ~ as_of_date() ~ ')'
        ) }} as waiting_days
    from orders
),

approval_late as (
    select
        customer_id,
        cast(null as varchar) as line_id,
        'orders' as entity,
        order_id as entity_key,
        {{ company_date('coalesce(signed_at, ordered_at)') }} as happened_on,
        case when approved_at is null then 'Waiting for' else 'Approved after' end
        || ' ' || cast(waiting_days as varchar) || ' days.' as detail
    from waited
    where waiting_days > {{ var('audit_approval_days') }}
)

select * from approval_late
