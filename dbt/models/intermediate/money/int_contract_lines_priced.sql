with

order_lines as (
    select * from {{ ref('int_order_lines_adjusted') }}
),

orders as (
    select * from {{ ref('int_orders_adjusted') }}
),

subscriptions as (
    select * from {{ ref('int_subscriptions_adjusted') }}
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

lines_of_orders as (
    select
        order_lines.order_line_id as line_id,
        orders.customer_id,
        order_lines.order_id,
        order_lines.order_line_id,
        cast(null as varchar) as subscription_id,
        order_lines.product_id,
        order_lines.replaces_order_line_id as previous_line_id,
        orders.previous_order_id,
        order_lines.bound_to_order_line_id as bound_to_line_id,
        orders.currency,
        cast(null as varchar) as stated_unit,
        orders.originator_role,
        order_lines.quantity,
        cast(null as decimal(38, 10)) as stated_mrr,
        cast(order_lines.amount as decimal(38, 10)) as amount,
        cast(coalesce(order_lines.discount_amount, 0) as decimal(38, 10)) as discount,
        cast(null as decimal(38, 10)) as discount_ratio,
        orders.kind = 'trial' as is_trial,
        coalesce(order_lines.is_auto_renew, false) as is_auto_renew,
        order_lines.term_start,
        order_lines.term_end,
        coalesce({{ company_date('orders.approved_at') }}, order_lines.term_start)
            as closed_on,
        order_lines.non_renewal_noted_at,
        order_lines.cancelled_at,
        orders.ended_by_cancelling_at as order_cancelled_at,
        orders.ended_by_refund_at as refunded_at,
        least(order_lines.vanished_at, orders.vanished_at) as vanished_at,
        greatest(
            order_lines.known_from, orders.known_from, orders.approved_at
        ) as known_from,
        least(order_lines.known_to, orders.known_to) as known_to
    from order_lines
    inner join orders
        on
            order_lines.order_id = orders.order_id
            and {{ is_known_together('order_lines', 'orders') }}
    where orders.is_approved
),

lines_of_subscriptions as (
    select
        'subscription-' || subscription_id as line_id,
        customer_id,
        cast(null as varchar) as order_id,
        cast(null as varchar) as order_line_id,
        subscription_id,
        product_id,
        'subscription-' || previous_subscription_id as previous_line_id,
        cast(null as varchar) as previous_order_id,
        cast(null as varchar) as bound_to_line_id,
        coalesce(currency, '{{ var("company_currency") }}') as currency,
        unit as stated_unit,
        cast(null as varchar) as originator_role,
        quantity,
        cast(mrr as decimal(38, 10)) as stated_mrr,
        cast(amount as decimal(38, 10)) as amount,
        cast(null as decimal(38, 10)) as discount,
        cast(discount_ratio as decimal(38, 10)) as discount_ratio,
        coalesce(is_trial, false) as is_trial,
        coalesce(is_auto_renew, false) as is_auto_renew,
        term_start,
        term_end,
        coalesce({{ company_date('booked_at') }}, term_start) as closed_on,
        non_renewal_noted_at,
        cancelled_at,
        cast(null as timestamptz) as order_cancelled_at,
        cast(null as timestamptz) as refunded_at,
        vanished_at,
        known_from,
        known_to
    from subscriptions
),

unioned as (
    select * from lines_of_orders
    union all
    select * from lines_of_subscriptions
),

measured as (
    select
        unioned.*,
        products.kind as product_kind,
        coalesce(unioned.stated_unit, products.unit) as unit,
        coalesce(customers_resolved.resolved_customer_id, unioned.customer_id)
            as resolved_customer_id,
        case
            when unioned.discount_ratio < 1
                then {{ divide_money(
                    'unioned.amount * unioned.discount_ratio', '1 - unioned.discount_ratio'
                ) }}
            else unioned.discount
        end as discount_taken,
        {{ elapsed_days('unioned.term_start', 'unioned.term_end') }} as term_days,
        case
            when
                {{ add_months(
                    'cast(' ~ month_steps('unioned.term_start', 'unioned.term_end') ~ ' as int)',
                    'unioned.term_start'
                ) }} = unioned.term_end
                then {{ month_steps('unioned.term_start', 'unioned.term_end') }}
        end as whole_months,
        least(
            unioned.cancelled_at,
            unioned.order_cancelled_at,
            unioned.refunded_at,
            unioned.vanished_at
        ) as first_ended_at
    from unioned
    left join products on unioned.product_id = products.product_id
    left join customers_resolved on unioned.customer_id = customers_resolved.customer_id
),

-- Only what is bought by time is a term. What ended before it began is known as a line until then.
bought_by_time as (
    select
        *,
        case
            when {{ company_date('first_ended_at') }} <= term_start
                then least(known_to, greatest(known_from, first_ended_at))
            else known_to
        end as known_as_term_to
    from measured
    where
        term_start is not null
        and (term_end is null or term_end > term_start)
        and coalesce(product_kind, 'version') not in ('one_time', 'usage')
),

priced as (
    select
        line_id,
        resolved_customer_id as customer_id,
        order_id,
        order_line_id,
        subscription_id,
        product_id,
        previous_line_id,
        previous_order_id,
        bound_to_line_id,
        product_kind,
        currency,
        unit,
        originator_role,
        coalesce(product_id, '') as product_key,
        whole_months,
        term_days,
        {{ grace_days('whole_months', 'term_days') }} as grace_days,
        quantity,
        coalesce(amount, stated_mrr) as amount,
        -- A credit over a term is no term of its own: the audit lists it.
        case
            when is_trial or coalesce(stated_mrr, amount) < 0 then null
            when stated_mrr is not null then stated_mrr
            when whole_months is not null then {{ divide_money('amount', 'whole_months') }}
            else {{ divide_money('amount * 365', '12 * term_days') }}
        end as contract_mrr,
        case
            when stated_mrr is not null and discount_ratio < 1
                then {{ divide_money('stated_mrr * discount_ratio', '1 - discount_ratio') }}
            when whole_months is not null then {{ divide_money('discount_taken', 'whole_months') }}
            else {{ divide_money('discount_taken * 365', '12 * term_days') }}
        end as contract_discount_mrr,
        cast(coalesce(whole_months, term_days * 12 / cast(365 as double)) as double) as term_months,
        is_trial,
        not is_trial and coalesce(stated_mrr, amount) > 0 as is_paid,
        term_end is null as is_lifetime,
        is_auto_renew and term_end is not null as is_auto_renew,
        coalesce(discount, discount_ratio, 0) > 0 as had_discount,
        term_start,
        term_end,
        closed_on,
        non_renewal_noted_at,
        cancelled_at,
        order_cancelled_at,
        refunded_at,
        vanished_at,
        known_from,
        known_as_term_to as known_to
    from bought_by_time
    where known_as_term_to is null or known_as_term_to > known_from
)

select * from priced
