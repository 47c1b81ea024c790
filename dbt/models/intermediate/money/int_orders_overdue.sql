with

orders as (
    select * from {{ ref('int_orders_adjusted') }}
    where
        kind = 'formal'
        and is_approved
        and payment_due_on is not null
),

order_lines as (
    select * from {{ ref('int_order_lines_adjusted') }}
),

payments as (
    select * from {{ ref('int_payments_valued') }}
),

periods_owed as (
    select * from {{ ref('int_periods_owed') }}
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

-- Periods of lines bought by time are owed by themselves.
lines_valued as (
    select
        order_lines.order_id,
        order_lines.amount,
        not exists (
            select 1 from periods_owed
            where periods_owed.line_id = order_lines.order_line_id
        ) as is_at_once,
        coalesce(
            order_lines.term_start,
            {{ company_date('coalesce(orders.approved_at, orders.ordered_at)') }}
        ) as begins_on,
        coalesce(products.kind = 'usage', false) as is_quota,
        least(
            order_lines.cancelled_at,
            orders.ended_by_cancelling_at,
            orders.ended_by_refund_at,
            order_lines.vanished_at,
            orders.vanished_at
        ) as ended_at,
        greatest(order_lines.known_from, orders.known_from) as known_from,
        least(order_lines.known_to, orders.known_to) as known_to
    from order_lines
    inner join orders
        on
            order_lines.order_id = orders.order_id
            and {{ is_known_together('order_lines', 'orders') }}
    left join products on order_lines.product_id = products.product_id
),

-- What is not bought by time is owed whole, unless it was taken back before it began; a quota only
-- as long as it stands.
lines_taken_back as (
    select
        order_id,
        amount,
        is_at_once,
        greatest(known_from, ended_at) as known_from,
        known_to
    from lines_valued
    where (is_quota and ended_at is not null) or {{ company_date('ended_at') }} <= begins_on
),

-- What is owed on an order, as it became known: a line adds its amount, a payment takes off what
-- was paid, an end takes back what comes after it, a refund gives back.
facts as (
    select
        order_id,
        amount,
        0 as taken_back,
        0 as refunded,
        0 as unknown_count,
        known_from,
        known_to
    from lines_valued
    where is_at_once
    union all
    select
        order_id,
        case when is_at_once then -amount else 0 end as amount,
        amount as taken_back,
        0 as refunded,
        0 as unknown_count,
        known_from,
        known_to
    from lines_taken_back
    union all
    select
        order_id,
        case when kind = 'payment' then -amount else 0 end as amount,
        0 as taken_back,
        case when kind = 'refund' then amount else 0 end as refunded,
        case when amount is null then 1 else 0 end as unknown_count,
        greatest(known_from, paid_at) as known_from,
        known_to
    from payments
),

-- A newer version takes the old one back.
changes as (
    select
        order_id,
        changed_on,
        due_on,
        amount,
        taken_back,
        0 as refunded,
        0 as unknown_count
    from periods_owed
    union all
    select
        order_id,
        {{ company_date('known_from') }} as changed_on,
        cast(null as date) as due_on,
        amount,
        taken_back,
        refunded,
        unknown_count
    from facts
    where known_to is null or known_to > known_from
    union all
    select
        order_id,
        {{ company_date('known_to') }} as changed_on,
        cast(null as date) as due_on,
        -amount as amount,
        -taken_back as taken_back,
        -refunded as refunded,
        -unknown_count as unknown_count
    from facts
    where known_to > known_from
),

changes_daily as (
    select
        order_id,
        changed_on,
        max(due_on) as due_on,
        coalesce(sum(amount), 0) as amount,
        coalesce(sum(taken_back), 0) as taken_back,
        coalesce(sum(refunded), 0) as refunded,
        sum(unknown_count) as unknown_count
    from changes
    group by order_id, changed_on
),

-- Giving back what was taken back is one reduction, not two. A payment without a rate leaves what
-- is owed unknown until the rate comes; in another currency it leaves fractions of a cent, which
-- nobody owes.
balances as (
    select
        order_id,
        due_on,
        changed_on,
        case
            when sum(unknown_count) over to_date = 0
                then round(
                    sum(amount) over to_date
                    + least(sum(taken_back) over to_date, sum(refunded) over to_date),
                    2
                )
        end as balance
    from changes_daily
    window to_date as (partition by order_id order by changed_on)
),

balances_compared as (
    select
        *,
        lag(balance) over (partition by order_id order by changed_on) as previous_balance,
        lag(balance, 1, 0) over (partition by order_id order by changed_on) as balance_before
    from balances
),

-- Overdue since the last period that found nothing owed, else since the order itself was due.
balances_aged as (
    select
        order_id,
        changed_on,
        balance,
        balance_before,
        max(case when previous_balance <= 0 then due_on end) over (
            partition by order_id
            order by changed_on
            rows between unbounded preceding and current row
        ) as period_due_on
    from balances_compared
),

balances_changed as (
    select
        order_id,
        balance,
        period_due_on,
        changed_on as owed_from,
        coalesce(
            lead(changed_on) over (partition by order_id order by changed_on), {{ far_future() }}
        ) as owed_to
    from balances_aged
    where balance is distinct from balance_before
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
        coalesce({{ company_date('known_to') }}, {{ far_future() }}) as due_to
    from orders
),

overdue as (
    select
        orders_due.order_id,
        coalesce(customers_resolved.resolved_customer_id, orders_due.customer_id) as customer_id,
        orders_due.currency,
        coalesce(balances_changed.period_due_on, orders_due.payment_due_on) as due_on,
        greatest(orders_due.due_from, balances_changed.owed_from) as overdue_from,
        least(orders_due.due_to, balances_changed.owed_to) as overdue_to,
        cast(balances_changed.balance as decimal(38, 10)) as overdue_amount
    from orders_due
    inner join balances_changed
        on
            orders_due.order_id = balances_changed.order_id
            and orders_due.due_from < balances_changed.owed_to
            and balances_changed.owed_from < orders_due.due_to
    left join customers_resolved on orders_due.customer_id = customers_resolved.customer_id
    where balances_changed.balance > 0 or balances_changed.balance is null
)

select * from overdue
where overdue_to > overdue_from
