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

entitled as (
    select
        terms.customer_id,
        entitlements.feature,
        greatest(terms.term_start, entitlements.valid_from) as entitled_from,
        least(
            coalesce(terms.effective_end, date '9999-12-31'),
            coalesce(entitlements.valid_to, date '9999-12-31')
        ) as entitled_to
    from terms
    inner join entitlements on terms.product_id = entitlements.product_id
    inner join core_features on entitlements.feature = core_features.feature
    where entitlements.vanished_at is null
),

lasting as (
    select * from entitled where entitled_from < entitled_to
),

change_dates as (
    select
        customer_id,
        entitled_from as change_date
    from lasting
    union
    select
        customer_id,
        entitled_to as change_date
    from lasting
),

counted as (
    select
        change_dates.customer_id,
        change_dates.change_date,
        count(distinct lasting.feature) as entitled_count
    from change_dates
    left join lasting
        on
            change_dates.customer_id = lasting.customer_id
            and lasting.entitled_from <= change_dates.change_date
            and change_dates.change_date < lasting.entitled_to
    group by change_dates.customer_id, change_dates.change_date
)

select * from counted
