with

versions as (
    {{ versions_of('subscriptions', key=['subscription_id']) }}
)

select
    subscription_id,
    customer_id,
    product_id,
    booked_at,
    term_start,
    term_end,
    mrr,
    amount,
    currency,
    quantity,
    unit,
    billing_months,
    discount_ratio,
    is_trial,
    is_auto_renew,
    cancelled_at,
    non_renewal_noted_at,
    previous_subscription_id,
    known_from,
    known_to,
    vanished_at
from versions
