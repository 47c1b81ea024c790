with

payments as (
    select * from {{ ref('stg_orders__payments') }}
),

orders as (
    select * from {{ ref('int_orders_adjusted') }}
),

rates as (
    select
        currency,
        rate_date,
        rate,
        known_from
    from {{ ref('stg_finance__exchange_rates') }}
    where currency != '{{ var("company_currency") }}'
    union all
    select
        '{{ var("company_currency") }}' as currency,
        cast('0001-01-01' as date) as rate_date,
        1 as rate,
        cast('0001-01-01' as timestamptz) as known_from
),

payments_named as (
    select
        payments.payment_id,
        payments.order_id,
        payments.kind,
        payments.paid_at,
        {{ company_date('payments.paid_at') }} as paid_on,
        payments.amount,
        orders.currency as order_currency,
        coalesce(payments.currency, orders.currency) as payment_currency,
        greatest(payments.known_from, orders.known_from) as known_from,
        least(payments.known_to, orders.known_to) as known_to
    from payments
    inner join orders
        on
            payments.order_id = orders.order_id
            and {{ is_known_together('payments', 'orders') }}
),

{% for side in ['payment', 'order'] -%}
{{ side }}_rates_by_moment as (
    select
        payments_named.payment_id,
        payments_named.known_from,
        greatest(payments_named.known_from, rates.known_from) as rated_from,
        max(rates.rate_date) as rate_date,
        max_by(rates.rate, (rates.rate_date, rates.known_from)) as rate
    from payments_named
    inner join rates
        on
            payments_named.{{ side }}_currency = rates.currency
            and payments_named.paid_on >= rates.rate_date
    where payments_named.payment_currency != payments_named.order_currency
    group by
        payments_named.payment_id,
        payments_named.known_from,
        greatest(payments_named.known_from, rates.known_from)
),

{{ side }}_rates_compared as (
    select
        *,
        max(rate_date) over (
            partition by payment_id, known_from
            order by rated_from
            rows between unbounded preceding and 1 preceding
        ) as best_date_before
    from {{ side }}_rates_by_moment
),

-- The latest rate of the day it was paid, from one moment to the next at which a later one came.
{{ side }}_rates as (
    select
        payment_id,
        known_from,
        rate,
        rated_from,
        lead(rated_from) over (partition by payment_id, known_from order by rated_from) as rated_to
    from {{ side }}_rates_compared
    where best_date_before is null or rate_date >= best_date_before
),

{% endfor -%}
rates_crossed as (
    select
        payment_rates.payment_id,
        payment_rates.known_from,
        payment_rates.rate as payment_rate,
        order_rates.rate as order_rate,
        greatest(payment_rates.rated_from, order_rates.rated_from) as rated_from,
        least(payment_rates.rated_to, order_rates.rated_to) as rated_to
    from payment_rates
    inner join order_rates
        on
            payment_rates.payment_id = order_rates.payment_id
            and payment_rates.known_from = order_rates.known_from
            and (
                order_rates.rated_to is null
                or payment_rates.rated_from < order_rates.rated_to
            )
            and (
                payment_rates.rated_to is null
                or order_rates.rated_from < payment_rates.rated_to
            )
),

-- Unknown until both rates are.
first_rated as (
    select
        payment_id,
        known_from,
        min(rated_from) as rated_from
    from rates_crossed
    group by payment_id, known_from
),

spans as (
    select
        payments_named.payment_id,
        payments_named.order_id,
        payments_named.kind,
        payments_named.paid_at,
        payments_named.paid_on,
        case
            when payments_named.payment_currency = payments_named.order_currency
                then payments_named.amount
        end as amount,
        payments_named.known_from,
        least(payments_named.known_to, first_rated.rated_from) as known_to
    from payments_named
    left join first_rated
        on
            payments_named.payment_id = first_rated.payment_id
            and payments_named.known_from = first_rated.known_from
    where first_rated.rated_from is null or first_rated.rated_from > payments_named.known_from
    union all
    select
        payments_named.payment_id,
        payments_named.order_id,
        payments_named.kind,
        payments_named.paid_at,
        payments_named.paid_on,
        {{ divide_money(
            'payments_named.amount * rates_crossed.payment_rate', 'rates_crossed.order_rate'
        ) }} as amount,
        rates_crossed.rated_from as known_from,
        least(payments_named.known_to, rates_crossed.rated_to) as known_to
    from payments_named
    inner join rates_crossed
        on
            payments_named.payment_id = rates_crossed.payment_id
            and payments_named.known_from = rates_crossed.known_from
    where payments_named.known_to is null or rates_crossed.rated_from < payments_named.known_to
),

valued as (
    select
        payment_id,
        order_id,
        kind,
        paid_at,
        paid_on,
        cast(amount as decimal(38, 10)) as amount,
        known_from,
        known_to
    from spans
)

select * from valued
