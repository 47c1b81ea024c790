with

terms as (
    select * from {{ ref('subscription_terms') }}
),

entitlements as (
    {{ current_rows(ref('stg_orders__feature_entitlements')) }}
),

core_features as (
    select * from {{ ref('int_core_features') }}
),

customers as (
    select distinct resolved_customer_id as customer_id from {{ ref('int_customers_resolved') }}
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

-- Without a delivery of entitlements nobody knows better than that everybody may use the core.
spans as (
    select
        terms.customer_id,
        entitlements.feature,
        greatest(terms.term_start, entitlements.valid_from) as entitled_from,
        least(
            coalesce(terms.effective_end, {{ far_future() }}),
            coalesce(entitlements.valid_to, {{ far_future() }}),
            coalesce({{ company_date('entitlements.vanished_at') }}, {{ far_future() }})
        ) as entitled_to
    from terms
    inner join entitlements on terms.product_id = entitlements.product_id
    union all
    select
        customers.customer_id,
        core_features.feature,
        cast('{{ var("company_started_on") }}' as date) as entitled_from,
        {{ far_future() }} as entitled_to
    from customers
    cross join core_features
    cross join measures
    where not measures.has_entitlements
),

compared as (
    select
        *,
        max(entitled_to) over (
            partition by customer_id, feature
            order by entitled_from, entitled_to
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from spans
    where entitled_from < entitled_to
),

numbered as (
    select
        *,
        {{ count_when('covered_until is null or covered_until < entitled_from') }} over (
            partition by customer_id, feature
            order by entitled_from, entitled_to
            rows between unbounded preceding and current row
        ) as span_no
    from compared
),

entitled as (
    select
        numbered.customer_id,
        numbered.feature,
        core_features.feature is not null as is_core,
        min(numbered.entitled_from) as entitled_from,
        max(numbered.entitled_to) as entitled_to
    from numbered
    left join core_features on numbered.feature = core_features.feature
    group by
        numbered.customer_id, numbered.feature, numbered.span_no, core_features.feature is not null
)

select * from entitled
