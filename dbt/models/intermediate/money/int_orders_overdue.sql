with

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

order_lines as (
    {{ current_rows(ref('int_order_lines_adjusted')) }}
),

payments as (
    {{ current_rows(ref('stg_orders__payments')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

ordered as (
    select
        order_id,
        sum(amount) as amount,
        max(known_from) as known_from
    from order_lines
    group by order_id
),

-- What is owed, from the day after it was due (or the day the order was known).
dues as (
    select
        orders.order_id,
        greatest(
            {{ add_days(1, 'orders.payment_due_on') }},
            {{ company_date('greatest(orders.known_from, ordered.known_from)') }}
        ) as changed_on,
        cast(ordered.amount as decimal(38, 10)) as amount
    from orders
    inner join ordered on orders.order_id = ordered.order_id
    where
        orders.kind = 'formal'
        and orders.payment_due_on is not null
        and (orders.approved_at is not null or orders.status = 'approved')
),

paid as (
    select
        dues.order_id,
        greatest(
            dues.changed_on,
            {{ company_date('greatest(payments.paid_at, payments.known_from)') }}
        ) as changed_on,
        cast(case when payments.kind = 'payment' then -payments.amount else 0 end as decimal(38, 10))
            as amount
    from payments
    inner join dues on payments.order_id = dues.order_id
),

changes as (
    select
        order_id,
        changed_on,
        sum(amount) as amount
    from (
        select * from dues
        union all
        select * from paid
    ) as unioned
    group by order_id, changed_on
),

balances as (
    select
        order_id,
        changed_on as overdue_from,
        lead(changed_on) over (partition by order_id order by changed_on) as overdue_to,
        sum(amount) over (
            partition by order_id
            order by changed_on
            rows between unbounded preceding and current row
        ) as overdue_amount
    from changes
),

overdue as (
    select
        balances.order_id,
        coalesce(customers_resolved.resolved_customer_id, orders.customer_id) as customer_id,
        orders.currency,
        orders.payment_due_on,
        balances.overdue_from,
        least(
            balances.overdue_to,
            {{ company_date('orders.cancelled_at') }},
            {{ company_date('orders.refunded_at') }}
        ) as overdue_to,
        cast(balances.overdue_amount as decimal(38, 10)) as overdue_amount
    from balances
    inner join orders on balances.order_id = orders.order_id
    left join customers_resolved on orders.customer_id = customers_resolved.customer_id
    where balances.overdue_amount > 0
)

select * from overdue
where overdue_to is null or overdue_to > overdue_from
