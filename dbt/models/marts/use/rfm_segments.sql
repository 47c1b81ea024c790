with

night as (
    select * from {{ ref('stg_ingest__night') }}
),

usage_days as (
    select * from {{ ref('customer_usage_daily') }}
),

use_at_dates as (
    select * from {{ ref('int_customers_use_at_dates') }}
),

payments as (
    {{ current_rows(ref('stg_orders__payments')) }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

customers as (
    select * from {{ ref('int_customers_resolved') }}
),

rates as (
    select * from {{ ref('int_exchange_rates_dated') }}
),

connections as (
    select * from {{ ref('int_entities_connected') }}
),

paid_recently as (
    select
        customers.resolved_customer_id as customer_id,
        coalesce(payments.currency, orders.currency) as currency,
        {{ company_date('payments.paid_at') }} as paid_date,
        case when payments.kind = 'refund' then -payments.amount else payments.amount end as amount
    from payments
    inner join orders on payments.order_id = orders.order_id
    inner join customers on orders.customer_id = customers.customer_id
    cross join night
    where
        {{ company_date('payments.paid_at') }} <= night.as_of_date
        and {{ company_date('payments.paid_at') }} > {{ add_months(-12, 'night.as_of_date') }}
),

-- A payment without a rate leaves the whole unknown.
amounts as (
    select
        paid_recently.customer_id,
        case
            when count(rates.rate) = count(*) then sum(paid_recently.amount * rates.rate)
        end as amount_12m
    from paid_recently
    left join rates
        on
            paid_recently.currency = rates.currency
            and rates.valid_from <= paid_recently.paid_date
            and paid_recently.paid_date < rates.valid_to
    group by paid_recently.customer_id
),

measured as (
    select
        usage_days.customer_id,
        usage_days.is_measured,
        use_at_dates.days_since_last_use as recency_days,
        usage_days.active_day_count_28d as frequency_28d,
        case
            when amounts.customer_id is not null then cast(amounts.amount_12m as decimal(38, 10))
            when connections.entity is not null then 0
        end as amount_12m
    from usage_days
    inner join night on usage_days.activity_date = night.as_of_date
    left join connections on connections.entity = 'payments'
    left join use_at_dates
        on
            usage_days.customer_id = use_at_dates.customer_id
            and night.as_of_date = use_at_dates.as_of_date
            and night.as_of_date = use_at_dates.known_on
    left join amounts on usage_days.customer_id = amounts.customer_id
),

-- A digit is one and one more for each cut that is reached: equal values have equal digits. Who
-- never used it is beyond every cut of recency.
scored as (
    select
        *,
        case
            when is_measured
                then
                    1
                    {%- for cut in var('rfm_recency_days') %}
                    + case when recency_days <= {{ cut }} then 1 else 0 end
                    {%- endfor %}
        end as recency_score,
        1
        {%- for cut in var('rfm_frequency_28d') %}
        + case when frequency_28d >= {{ cut }} then 1 when frequency_28d < {{ cut }} then 0 end
        {%- endfor %} as frequency_score,
        1
        {%- for cut in var('rfm_amount_12m') %}
        + case when amount_12m >= {{ cut }} then 1 when amount_12m < {{ cut }} then 0 end
        {%- endfor %} as amount_score
    from measured
),

segments as (
    select
        customer_id,
        cast(recency_days as bigint) as recency_days,
        cast(frequency_28d as bigint) as frequency_28d,
        amount_12m,
        cast(recency_score as varchar)
        || cast(frequency_score as varchar)
        || cast(amount_score as varchar) as rfm_code,
        '{{ fingerprint([
            var("rfm_recency_days"), var("rfm_frequency_28d"), var("rfm_amount_12m")
        ]) }}' as cuts_version
    from scored
)

select * from segments
