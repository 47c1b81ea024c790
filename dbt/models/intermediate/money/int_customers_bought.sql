{%- set order_amounts = [
    'ordered_amount', 'delivered_amount', 'undelivered_amount', 'receivable_amount',
    'overdue_amount'
] -%}
with

night as (
    select * from {{ ref('stg_ingest__night') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

subscription_terms as (
    select * from {{ ref('subscription_terms') }}
),

order_delivery as (
    select * from {{ ref('order_delivery') }}
    where is_approved
),

wallet_entries as (
    {{ current_rows(ref('stg_orders__wallet_entries')) }}
),

rates as (
    select * from {{ ref('int_exchange_rates_dated') }}
),

purchases as (
    select * from {{ ref('int_customers_purchases_dated') }}
    where is_known_tonight and purchased_on <= {{ as_of_date() }}
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

usage_revenue as (
    select * from {{ ref('int_usage_revenue_monthly') }}
),

connections as (
    select * from {{ ref('int_entities_connected') }}
),

connected as (
    select
        max(case when entity = 'service_usage' then 1 else 0 end) = 1
            as is_usage_connected,
        max(case when entity = 'orders' then 1 else 0 end) = 1
            as is_orders_connected,
        max(case when entity = 'payments' then 1 else 0 end) = 1
            as is_payments_connected
    from connections
),

-- A company without any term has no MRR, which is something else than an MRR of 0.
companies as (
    select count(*) > 0 as has_terms
    from subscription_terms
),

terms_tonight as (
    select
        subscription_terms.customer_id,
        subscription_terms.product_kind,
        coalesce(products.name, subscription_terms.product_id) as product_name,
        subscription_terms.term_id,
        subscription_terms.term_start,
        subscription_terms.effective_end
    from subscription_terms
    cross join night
    left join products on subscription_terms.product_id = products.product_id
    where
        subscription_terms.term_start <= night.as_of_date
        and (
            subscription_terms.effective_end is null
            or subscription_terms.effective_end > night.as_of_date
        )
),

versions_placed as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by term_start desc, term_id
        ) as place
    from terms_tonight
    where product_kind = 'version' or product_kind is null
),

addons as (
    select
        customer_id,
        count(*) as addon_count
    from terms_tonight
    where product_kind in ('addon_bound', 'addon_independent')
    group by customer_id
),

-- The mean of the last closed months; a month without use is 0, one without a rate unknown.
usage_mrr as (
    select
        usage_revenue.customer_id,
        case
            when count(usage_revenue.usage_revenue) = count(*)
                then {{ divide_money('sum(usage_revenue.usage_revenue)', var('usage_mrr_months')) }}
        end as usage_mrr
    from usage_revenue
    cross join night
    where
        usage_revenue.month_start >= {{ add_months(
            -var('usage_mrr_months'), month_start(add_days(1, 'night.as_of_date'))
        ) }}
    group by usage_revenue.customer_id
),

-- Orders are valued at tonight's rate; one that cannot be leaves its customer's totals unknown.
ordered as (
    select
        {%- for amount in order_amounts %}
        case
            when count(order_delivery.{{ amount }} * rates.rate) = count(*)
                then sum(order_delivery.{{ amount }} * rates.rate)
        end as {{ amount }},
        {%- endfor %}
        order_delivery.customer_id
    from order_delivery
    cross join night
    left join rates
        on
            order_delivery.currency = rates.currency
            and night.as_of_date >= rates.valid_from
            and night.as_of_date < rates.valid_to
    group by order_delivery.customer_id
),

wallet_entries_valued as (
    select
        coalesce(customers_resolved.resolved_customer_id, wallet_entries.customer_id)
            as customer_id,
        cast(wallet_entries.amount * rates.rate as decimal(38, 10)) as amount,
        {{ elapsed_days(company_date('wallet_entries.occurred_at'), 'night.as_of_date') }}
            as age_days
    from wallet_entries
    cross join night
    left join customers_resolved on wallet_entries.customer_id = customers_resolved.customer_id
    left join rates
        on
            coalesce(wallet_entries.currency, '{{ var("company_currency") }}') = rates.currency
            and night.as_of_date >= rates.valid_from
            and night.as_of_date < rates.valid_to
    where wallet_entries.occurred_at <= night.as_of_end
),

wallets as (
    select
        customer_id,
        case when count(amount) = count(*) then sum(amount) end as wallet_balance,
        {{ divide(
            'sum(case when amount < 0 and age_days < ' ~ var('wallet_burn_days')
            ~ ' then -amount end)',
            'least(max(age_days) + 1, ' ~ var('wallet_burn_days') ~ ')',
            'double'
        ) }} as daily_outflow
    from wallet_entries_valued
    group by customer_id
),

first_purchases as (
    select
        customer_id,
        min(purchased_on) as first_purchase_date
    from purchases
    group by customer_id
),

customers as (
    select distinct resolved_customer_id as customer_id
    from customers_resolved
),

customers_bought as (
    select
        customers.customer_id,
        companies.has_terms,
        versions_placed.product_name as current_version,
        versions_placed.effective_end as version_end_date,
        case when companies.has_terms then coalesce(addons.addon_count, 0) end as addon_count,
        first_purchases.first_purchase_date,
        cast(
            case
                when usage_mrr.customer_id is not null then usage_mrr.usage_mrr
                when connected.is_usage_connected then 0
            end as decimal(38, 10)
        ) as usage_mrr_3m,
        {%- for amount in order_amounts %}
        cast(
            case
                when ordered.customer_id is not null then ordered.{{ amount }}
                when
                    {{ 'connected.is_payments_connected' if amount in (
                        'receivable_amount', 'overdue_amount'
                    ) else 'connected.is_orders_connected' }}
                    then 0
            end as decimal(38, 10)
        ) as {{ amount }},
        {%- endfor %}
        cast(wallets.wallet_balance as decimal(38, 10)) as wallet_balance,
        case
            when wallets.wallet_balance <= 0 then 0
            else {{ divide('wallets.wallet_balance', 'wallets.daily_outflow', 'double') }}
        end as wallet_days_left
    from customers
    cross join companies
    cross join connected
    left join versions_placed
        on customers.customer_id = versions_placed.customer_id and versions_placed.place = 1
    left join addons on customers.customer_id = addons.customer_id
    left join usage_mrr on customers.customer_id = usage_mrr.customer_id
    left join ordered on customers.customer_id = ordered.customer_id
    left join wallets on customers.customer_id = wallets.customer_id
    left join first_purchases on customers.customer_id = first_purchases.customer_id
)

select * from customers_bought
