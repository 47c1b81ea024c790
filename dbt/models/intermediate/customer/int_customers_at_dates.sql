with

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

subscriptions as (
    {{ current_rows(ref('int_subscriptions_adjusted')) }}
),

services as (
    {{ current_rows(ref('stg_orders__services')) }}
),

wallet_entries as (
    {{ current_rows(ref('stg_orders__wallet_entries')) }}
),

tenants as (
    {{ current_rows(ref('stg_logins__tenants')) }}
),

buyers_and_users as (
    select customer_id from orders
    union
    select customer_id from subscriptions
    union
    select customer_id from services
    union
    select customer_id from wallet_entries
    union
    select customer_id from tenants
),

customers as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        max(case when buyers_and_users.customer_id is not null then 1 else 0 end) as has_history
    from customers_resolved
    left join buyers_and_users on customers_resolved.customer_id = buyers_and_users.customer_id
    group by customers_resolved.resolved_customer_id
),

-- Mere prospects are looked at tonight only: nothing of them is scored.
customers_at_dates as (
    select
        customers.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        signal_dates.known_until
    from customers
    cross join signal_dates
    cross join night
    where customers.has_history = 1 or signal_dates.as_of_date = night.as_of_date
)

select * from customers_at_dates
