with

payments as (
    select * from {{ ref('stg_orders__payments') }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

payments_named as (
    select
        payments.*,
        orders.currency as order_currency,
        coalesce(payments.currency, orders.currency) as payment_currency,
        {{ company_date('payments.paid_at') }} as paid_on
    from payments
    inner join orders on payments.order_id = orders.order_id
),

payment_rates as (
    {{ rates_of_days(
        ref('int_exchange_rates_dated'), 'payments_named', 'payment_currency', 'paid_on'
    ) }}
),

order_rates as (
    {{ rates_of_days(
        ref('int_exchange_rates_dated'), 'payments_named', 'order_currency', 'paid_on'
    ) }}
),

-- Unknown where a rate is missing.
valued as (
    select
        payments_named.payment_id,
        payments_named.order_id,
        payments_named.kind,
        payments_named.paid_at,
        payments_named.paid_on,
        cast(
            case
                when payments_named.payment_currency = payments_named.order_currency
                    then payments_named.amount
                else {{ divide_money(
                    'payments_named.amount * payment_rates.rate', 'order_rates.rate'
                ) }}
            end as decimal(38, 10)
        ) as amount,
        payments_named.known_from,
        payments_named.known_to
    from payments_named
    left join payment_rates
        on
            payments_named.payment_currency = payment_rates.currency
            and payments_named.paid_on = payment_rates.rate_day
    left join order_rates
        on
            payments_named.order_currency = order_rates.currency
            and payments_named.paid_on = order_rates.rate_day
)

select * from valued
