with

order_lines as (
    {{ current_rows(ref('int_order_lines_adjusted')) }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

subscriptions as (
    {{ current_rows(ref('int_subscriptions_adjusted')) }}
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

terms as (
    select * from {{ ref('subscription_terms') }}
),

unioned as (
    select
        order_lines.order_line_id as line_id,
        'order_lines' as entity,
        order_lines.order_line_id as entity_key,
        order_lines.order_id,
        orders.customer_id,
        order_lines.product_id,
        orders.currency,
        orders.kind = 'trial' as is_trial,
        orders.approved_at is not null or orders.status in ('approved', 'refunded') as is_approved,
        {{ company_date('orders.ordered_at') }} as sold_on,
        order_lines.quantity,
        order_lines.unit_price,
        coalesce(order_lines.discount_amount, 0) != 0 or order_lines.coupon_code is not null
            as has_discount,
        order_lines.amount,
        coalesce(order_lines.is_auto_renew, false) as is_auto_renew,
        order_lines.term_start,
        order_lines.term_end,
        {{ company_date('least(
            order_lines.cancelled_at,
            orders.cancelled_at,
            orders.refunded_at,
            order_lines.vanished_at,
            orders.vanished_at
        )') }} as stopped_on,
        orders.status in ('cancelled', 'refunded') as is_order_stopped
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    union all
    select
        'subscription-' || subscription_id as line_id,
        'subscriptions' as entity,
        subscription_id as entity_key,
        cast(null as varchar) as order_id,
        customer_id,
        product_id,
        coalesce(currency, '{{ var("company_currency") }}') as currency,
        coalesce(is_trial, false) as is_trial,
        true as is_approved,
        coalesce({{ company_date('booked_at') }}, term_start) as sold_on,
        quantity,
        cast(null as decimal(20, 6)) as unit_price,
        cast(null as boolean) as has_discount,
        coalesce(amount, mrr) as amount,
        coalesce(is_auto_renew, false) as is_auto_renew,
        term_start,
        term_end,
        {{ company_date('least(cancelled_at, vanished_at)') }} as stopped_on,
        false as is_order_stopped
    from subscriptions
),

-- Where a line that is bought by time truly ends: replaced, succeeded or gone on by itself.
terms_summed as (
    select
        line_id,
        max(effective_end) as effective_end,
        max(term_months) as term_months,
        max(case when is_paid then 1 else 0 end) = 1 as is_paid_term,
        max(case when effective_end is null then 1 else 0 end) = 1 as is_endless,
        sum(
            case
                when
                    term_start <= {{ as_of_date() }}
                    and (effective_end is null or effective_end > {{ as_of_date() }})
                    then case when is_paid then arr else 0 end
                else 0
            end
        ) as arr
    from terms
    group by line_id
),

lines as (
    select
        unioned.line_id,
        unioned.entity,
        unioned.entity_key,
        unioned.order_id,
        coalesce(customers_resolved.resolved_customer_id, unioned.customer_id) as customer_id,
        unioned.product_id,
        products.kind as product_kind,
        unioned.currency,
        unioned.is_trial,
        unioned.is_approved,
        unioned.sold_on,
        unioned.quantity,
        unioned.unit_price,
        unioned.has_discount,
        unioned.amount,
        unioned.is_auto_renew,
        unioned.term_start,
        unioned.term_end,
        case
            when terms_summed.line_id is null then least(unioned.term_end, unioned.stopped_on)
            when not terms_summed.is_endless then terms_summed.effective_end
        end as ends_on,
        unioned.stopped_on,
        unioned.is_order_stopped,
        coalesce(terms_summed.is_paid_term, false) as is_paid_term,
        terms_summed.term_months,
        case when terms_summed.line_id is null then 0 else terms_summed.arr end as arr
    from unioned
    left join products on unioned.product_id = products.product_id
    left join customers_resolved on unioned.customer_id = customers_resolved.customer_id
    left join terms_summed on unioned.line_id = terms_summed.line_id
)

select * from lines
