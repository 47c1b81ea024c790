with

orders as (
    select * from {{ ref('int_orders_adjusted') }}
    where
        kind = 'formal'
        and payment_due_on is not null
        and (approved_at is not null or status = 'approved')
),

order_lines as (
    select * from {{ ref('int_order_lines_adjusted') }}
),

payments as (
    select * from {{ ref('stg_orders__payments') }}
    where kind = 'payment'
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

-- What is owed on an order, as it became known: a line adds its amount, a newer version of it
-- takes the old amount back, a payment takes off what was paid.
changes as (
    select
        order_id,
        {{ company_date('known_from') }} as changed_on,
        amount
    from order_lines
    union all
    select
        order_id,
        {{ company_date('known_to') }} as changed_on,
        -amount as amount
    from order_lines
    where known_to is not null
    union all
    select
        order_id,
        {{ company_date('greatest(known_from, paid_at)') }} as changed_on,
        -amount as amount
    from payments
    where known_to is null or known_to > paid_at
    union all
    select
        order_id,
        {{ company_date('known_to') }} as changed_on,
        amount
    from payments
    where known_to > paid_at
),

changes_daily as (
    select
        order_id,
        changed_on,
        sum(amount) as amount
    from changes
    group by order_id, changed_on
),

balances as (
    select
        order_id,
        changed_on as owed_from,
        coalesce(
            lead(changed_on) over (partition by order_id order by changed_on), {{ far_future() }}
        ) as owed_to,
        sum(amount) over (
            partition by order_id
            order by changed_on
            rows between unbounded preceding and current row
        ) as balance
    from changes_daily
),

orders_due as (
    select
        order_id,
        customer_id,
        currency,
        payment_due_on,
        greatest(
            {{ add_days(1, 'payment_due_on') }},
            {{ company_date('greatest(known_from, approved_at)') }}
        ) as due_from,
        coalesce(
            least(
                {{ company_date('known_to') }},
                {{ company_date('cancelled_at') }},
                {{ company_date('refunded_at') }}
            ),
            {{ far_future() }}
        ) as due_to
    from orders
),

overdue as (
    select
        orders_due.order_id,
        coalesce(customers_resolved.resolved_customer_id, orders_due.customer_id) as customer_id,
        orders_due.currency,
        orders_due.payment_due_on,
        greatest(orders_due.due_from, balances.owed_from) as overdue_from,
        least(orders_due.due_to, balances.owed_to) as overdue_to,
        cast(balances.balance as decimal(38, 10)) as overdue_amount
    from orders_due
    inner join balances
        on
            orders_due.order_id = balances.order_id
            and orders_due.due_from < balances.owed_to
            and balances.owed_from < orders_due.due_to
    left join customers_resolved on orders_due.customer_id = customers_resolved.customer_id
    where balances.balance > 0
)

select * from overdue
where overdue_to > overdue_from
