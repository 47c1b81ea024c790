with

orders_told as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

order_lines as (
    {{ current_rows(ref('int_order_lines_adjusted')) }}
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

services as (
    {{ current_rows(ref('stg_orders__services')) }}
),

service_usage as (
    {{ current_rows(ref('stg_orders__service_usage')) }}
),

payments as (
    {{ current_rows(ref('int_payments_valued')) }}
),

onboarding_steps as (
    {{ current_rows(ref('stg_crm__onboarding_steps')) }}
),

terms as (
    select * from {{ ref('subscription_terms') }}
),

overdue as (
    select * from {{ ref('int_orders_overdue') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

connected as (
    select max(case when entity = 'payments' then 1 else 0 end) = 1 as is_payments_connected
    from {{ ref('int_entities_connected') }}
),

-- Rows of a first load tell what happened after a night that lies before it.
orders as (
    select
        order_id,
        customer_id,
        kind,
        status,
        currency,
        ordered_at,
        ended_by_cancelling_at,
        ended_by_refund_at,
        vanished_at,
        case when signed_at <= {{ as_of_end() }} then signed_at end as signed_at,
        case when approved_at <= {{ as_of_end() }} then approved_at end as approved_at,
        is_approved
        and (approved_at is null or approved_at <= {{ as_of_end() }}) as is_approved
    from orders_told
),

usage_summed as (
    select
        service_id,
        sum(quantity) as quantity_used
    from service_usage
    where used_on <= {{ as_of_date() }}
    group by service_id
),

-- A service that never opened starts nothing.
lines_served as (
    select
        services.order_line_id,
        min(case when services.state in ('active', 'terminated') then services.starts_on end)
            as opened_on,
        sum(usage_summed.quantity_used) as quantity_used
    from services
    left join usage_summed on services.service_id = usage_summed.service_id
    group by services.order_line_id
),

-- Tonight counts as delivered. Periods of a line that goes on by itself are ordered as they begin.
terms_by_day as (
    select
        order_line_id,
        term_start,
        amount,
        {{ elapsed_days('term_start', 'term_end') }} as day_count,
        {{ elapsed_days('term_start', 'effective_end') }} as running_day_count,
        {{ elapsed_days('term_start', add_days(1, as_of_date())) }} as elapsed_day_count
    from terms
    where not is_lifetime
),

lines_by_time as (
    select
        order_line_id,
        min(term_start) as delivery_starts_on,
        sum(amount) as ordered_amount,
        sum({{ divide_money(
            'amount * greatest(least(elapsed_day_count, running_day_count), 0)', 'day_count'
        ) }}) as delivered_amount,
        sum({{ divide_money('amount * (day_count - running_day_count)', 'day_count') }})
            as cancelled_amount
    from terms_by_day
    group by order_line_id
),

-- A line bought by time without a term was taken back before it began.
lines as (
    select
        order_lines.*,
        orders.is_approved,
        products.kind as product_kind,
        lines_served.quantity_used,
        case
            when lines_served.order_line_id is not null then lines_served.opened_on
            else coalesce(
                order_lines.term_start,
                {{ company_date('coalesce(orders.approved_at, orders.ordered_at)') }}
            )
        end as opened_on,
        coalesce(products.kind, 'version') not in ('one_time', 'usage')
        and order_lines.term_start is not null
        and (order_lines.term_end is null or order_lines.term_end > order_lines.term_start)
        and not exists (
            select 1 from terms
            where terms.order_line_id = order_lines.order_line_id
        ) as is_withdrawn,
        {{ company_date(
            'least(order_lines.cancelled_at, orders.ended_by_cancelling_at,'
            ~ ' orders.ended_by_refund_at, order_lines.vanished_at, orders.vanished_at)'
        ) }} as ended_on,
        case when order_lines.amount > 0 then order_lines.quantity else 0 end as quantity_prepaid
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    left join products on order_lines.product_id = products.product_id
    left join lines_served on order_lines.order_line_id = lines_served.order_line_id
),

-- What is used within the quantity bought is worth its part of the amount, what is used beyond it
-- (or without any) the price of a unit, and is ordered by being used.
lines_by_use as (
    select
        order_line_id,
        cast(
            coalesce(
                {{ divide_money(
                    'amount * least(coalesce(quantity_used, 0), quantity_prepaid)',
                    'quantity_prepaid'
                ) }},
                0
            ) as decimal(38, 10)
        ) as amount_used,
        cast(
            unit_price * greatest(coalesce(quantity_used, 0) - quantity_prepaid, 0)
            as decimal(38, 10)
        ) as amount_used_beyond
    from lines
    where product_kind = 'usage'
),

lines_delivered as (
    select
        lines.order_id,
        lines.order_line_id,
        coalesce(lines_by_time.delivery_starts_on, lines.opened_on) as delivery_starts_on,
        cast(
            coalesce(lines_by_time.ordered_amount, lines.amount)
            + coalesce(lines_by_use.amount_used_beyond, 0) as decimal(38, 10)
        ) as ordered_amount,
        cast(
            case
                when not lines.is_approved then 0
                when lines_by_time.order_line_id is not null then lines_by_time.delivered_amount
                when lines.product_kind = 'usage'
                    then lines_by_use.amount_used + lines_by_use.amount_used_beyond
                when lines.is_withdrawn then 0
                when
                    lines.opened_on <= {{ as_of_date() }}
                    and (lines.ended_on is null or lines.ended_on > lines.opened_on)
                    then lines.amount
                else 0
            end as decimal(38, 10)
        ) as delivered_amount,
        lines_by_time.cancelled_amount as cancelled_by_time_amount,
        coalesce(lines.ended_on <= {{ as_of_date() }}, false) or lines.is_withdrawn as is_ended
    from lines
    left join lines_by_time
        on lines.order_line_id = lines_by_time.order_line_id
    left join lines_by_use on lines.order_line_id = lines_by_use.order_line_id
),

orders_delivered as (
    select
        order_id,
        min(delivery_starts_on) as delivery_starts_on,
        sum(ordered_amount) as ordered_amount,
        sum(delivered_amount) as delivered_amount,
        sum(
            coalesce(
                cancelled_by_time_amount,
                case when is_ended then ordered_amount - delivered_amount else 0 end
            )
        ) as cancelled_amount
    from lines_delivered
    group by order_id
),

-- A payment without a rate leaves its order's payments unknown.
payments_summed as (
    select
        order_id,
        case
            when count(amount) = count(*)
                then sum(case when kind = 'refund' then -amount else amount end)
        end as paid_amount,
        case
            when count(amount) = count(*)
                then sum(case when kind = 'refund' then amount else 0 end)
        end as refunded_amount
    from payments
    where paid_at <= {{ as_of_end() }}
    group by order_id
),

payments_running as (
    select
        order_id,
        paid_on,
        sum(amount) over (
            partition by order_id
            order by paid_at, payment_id
            rows between unbounded preceding and current row
        ) as paid_amount
    from payments
    where kind = 'payment' and paid_at <= {{ as_of_end() }}
),

orders_paid as (
    select
        payments_running.order_id,
        min(payments_running.paid_on) as paid_on
    from payments_running
    inner join orders_delivered on payments_running.order_id = orders_delivered.order_id
    where
        round(payments_running.paid_amount, 2)
        >= round(orders_delivered.ordered_amount - orders_delivered.cancelled_amount, 2)
    group by payments_running.order_id
),

orders_accepted as (
    select
        order_id,
        max(accepted_at) as accepted_at
    from onboarding_steps
    where order_id is not null and accepted_at <= {{ as_of_end() }}
    group by order_id
),

overdue_tonight as (
    select * from overdue
    where overdue_from <= {{ as_of_date() }} and overdue_to > {{ as_of_date() }}
),

joined as (
    select
        orders.order_id,
        coalesce(customers_resolved.resolved_customer_id, orders.customer_id) as customer_id,
        orders.kind,
        orders.status,
        orders.is_approved,
        orders.currency,
        overdue_tonight.due_on,
        coalesce(orders_delivered.ordered_amount, 0) as ordered_amount,
        coalesce(orders_delivered.delivered_amount, 0) as delivered_amount,
        case when orders.is_approved then coalesce(orders_delivered.cancelled_amount, 0) else 0 end
            as cancelled_amount,
        case
            when payments_summed.order_id is not null then payments_summed.paid_amount
            when connected.is_payments_connected then 0
        end as paid_amount,
        case
            when payments_summed.order_id is not null then payments_summed.refunded_amount
            when connected.is_payments_connected then 0
        end as refunded_amount,
        coalesce(overdue_tonight.overdue_amount, 0) as unpaid_amount,
        orders.ordered_at,
        orders.signed_at,
        orders.approved_at,
        orders_accepted.accepted_at,
        orders_paid.paid_on,
        orders_delivered.delivery_starts_on
    from orders
    cross join connected
    left join customers_resolved on orders.customer_id = customers_resolved.customer_id
    left join orders_delivered on orders.order_id = orders_delivered.order_id
    left join payments_summed on orders.order_id = payments_summed.order_id
    left join orders_paid on orders.order_id = orders_paid.order_id
    left join orders_accepted on orders.order_id = orders_accepted.order_id
    left join overdue_tonight on orders.order_id = overdue_tonight.order_id
),

-- What was cancelled or given back need not be paid; giving back what was cancelled counts once.
-- Nothing is owed on what nobody approved, whatever was given back on it.
owed as (
    select
        *,
        case
            when is_approved
                then
                    ordered_amount - greatest(cancelled_amount, refunded_amount) - paid_amount
            when paid_amount > 0 then -paid_amount
            else 0 * paid_amount
        end as open_amount
    from joined
),

order_delivery as (
    select
        order_id,
        customer_id,
        kind,
        status,
        is_approved,
        currency,
        cast(ordered_amount as decimal(38, 10)) as ordered_amount,
        cast(cancelled_amount as decimal(38, 10)) as cancelled_amount,
        cast(paid_amount as decimal(38, 10)) as paid_amount,
        cast(refunded_amount as decimal(38, 10)) as refunded_amount,
        cast(delivered_amount as decimal(38, 10)) as delivered_amount,
        cast(
            case
                when is_approved then ordered_amount - cancelled_amount - delivered_amount
                else 0
            end as decimal(38, 10)
        ) as undelivered_amount,
        cast(
            case when open_amount > 0 then open_amount else 0 * open_amount end as decimal(38, 10)
        ) as receivable_amount,
        cast(
            case when open_amount < 0 then -open_amount else 0 * open_amount end
            as decimal(38, 10)
        ) as credit_amount,
        cast(
            case
                when open_amount > 0 then least(unpaid_amount, open_amount)
                else 0 * open_amount
            end as decimal(38, 10)
        ) as overdue_amount,
        case
            when open_amount > 0 and unpaid_amount > 0
                then {{ elapsed_days('due_on', as_of_date()) }}
            when open_amount is not null then 0
        end as overdue_days,
        signed_at,
        approved_at,
        accepted_at,
        paid_on,
        delivery_starts_on,
        case
            when is_approved
                then {{ {
                    'signed': company_date('signed_at'),
                    'approved': company_date('approved_at'),
                    'paid': 'paid_on',
                    'delivered': 'case when delivery_starts_on <= ' ~ as_of_date()
                        ~ ' then delivery_starts_on end',
                    'accepted': company_date('accepted_at'),
                }[var('recognition_milestone')] }}
        end as recognisable_from,
        {{ elapsed_days(
            company_date('coalesce(signed_at, ordered_at)'), company_date('approved_at')
        ) }} as approval_lag_days
    from owed
)

select * from order_delivery
