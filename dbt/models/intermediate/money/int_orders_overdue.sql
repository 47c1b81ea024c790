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
    select * from {{ ref('int_payments_valued') }}
    where kind = 'payment'
),

later_periods as (
    select * from {{ ref('int_later_periods_owed') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

-- What is owed on an order, as it became known: a line adds its amount, a newer version of it
-- takes the old amount back, a later period adds its own the day after it was due, a payment takes
-- off what was paid.
changes as (
    select
        order_id,
        {{ company_date('known_from') }} as changed_on,
        cast(null as date) as due_on,
        amount,
        0 as unknown_count
    from order_lines
    union all
    select
        order_id,
        {{ company_date('known_to') }} as changed_on,
        cast(null as date) as due_on,
        -amount as amount,
        0 as unknown_count
    from order_lines
    where known_to is not null
    union all
    select
        order_id,
        owed_from as changed_on,
        due_on,
        amount,
        0 as unknown_count
    from later_periods
    union all
    select
        order_id,
        owed_to as changed_on,
        cast(null as date) as due_on,
        -amount as amount,
        0 as unknown_count
    from later_periods
    where owed_to is not null
    union all
    select
        order_id,
        {{ company_date('greatest(known_from, paid_at)') }} as changed_on,
        cast(null as date) as due_on,
        -amount as amount,
        case when amount is null then 1 else 0 end as unknown_count
    from payments
    where known_to is null or known_to > paid_at
    union all
    select
        order_id,
        {{ company_date('known_to') }} as changed_on,
        cast(null as date) as due_on,
        amount,
        case when amount is null then -1 else 0 end as unknown_count
    from payments
    where known_to > paid_at
),

changes_daily as (
    select
        order_id,
        changed_on,
        max(due_on) as due_on,
        coalesce(sum(amount), 0) as amount,
        sum(unknown_count) as unknown_count
    from changes
    group by order_id, changed_on
),

-- A payment without a rate leaves what is owed unknown until the rate comes; in another currency it
-- leaves fractions of a cent, which nobody owes.
balances as (
    select
        order_id,
        due_on,
        changed_on as owed_from,
        coalesce(
            lead(changed_on) over (partition by order_id order by changed_on), {{ far_future() }}
        ) as owed_to,
        case
            when sum(unknown_count) over to_date = 0 then round(sum(amount) over to_date, 2)
        end as balance
    from changes_daily
    window to_date as (partition by order_id order by changed_on)
),

balances_compared as (
    select
        *,
        lag(balance) over (partition by order_id order by owed_from) as previous_balance
    from balances
),

-- Overdue since the last period that found nothing owed, else since the order itself was due.
balances_aged as (
    select
        order_id,
        balance,
        owed_from,
        owed_to,
        max(case when previous_balance <= 0 then due_on end) over (
            partition by order_id
            order by owed_from
            rows between unbounded preceding and current row
        ) as period_due_on
    from balances_compared
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
        coalesce(balances_aged.period_due_on, orders_due.payment_due_on) as due_on,
        greatest(orders_due.due_from, balances_aged.owed_from) as overdue_from,
        least(orders_due.due_to, balances_aged.owed_to) as overdue_to,
        cast(balances_aged.balance as decimal(38, 10)) as overdue_amount
    from orders_due
    inner join balances_aged
        on
            orders_due.order_id = balances_aged.order_id
            and orders_due.due_from < balances_aged.owed_to
            and balances_aged.owed_from < orders_due.due_to
    left join customers_resolved on orders_due.customer_id = customers_resolved.customer_id
    where balances_aged.balance > 0 or balances_aged.balance is null
)

select * from overdue
where overdue_to > overdue_from
