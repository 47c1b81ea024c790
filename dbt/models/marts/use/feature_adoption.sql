with

feature_days as (
    select * from {{ ref('int_feature_days_joined') }}
),

-- Users of a feature are asked for of the last days only: from the events themselves.
recent_events as (
    select * from {{ ref('stg_logins__product_events') }}
    where occurred_at >= {{ day_start(plus_days(as_of_date(), -27)) }}
),

recent_uses as (
    {{ uses_among('select * from recent_events') }}
),

feature_users as (
    {{ uses_of_customers('recent_uses', ['feature', 'user_id'], 'feature is not null') }}
),

entitlements as (
    select * from {{ ref('int_features_entitled') }}
    where
        not is_known_then
        and entitled_from <= {{ as_of_date() }}
        and {{ as_of_date() }} < entitled_to
),

core_features as (
    select * from {{ ref('int_core_features') }}
),

customers_measured as (
    select * from {{ ref('int_customers_measured') }}
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

first_uses as (
    select
        customer_id,
        feature,
        min(first_used_at) as first_used_at
    from feature_days
    group by customer_id, feature
),

users as (
    select
        customer_id,
        feature,
        count(distinct user_id) as user_count
    from feature_users
    group by customer_id, feature
),

-- What a customer used or may use.
customer_features as (
    select
        customer_id,
        feature
    from first_uses
    union
    select
        entitlements.customer_id,
        entitlements.feature
    from entitlements
    cross join measures
    where measures.has_entitlements
),

adoption as (
    select
        customer_features.customer_id,
        customer_features.feature,
        case when measures.has_entitlements then entitlements.customer_id is not null end
            as is_entitled,
        case when measures.has_core then core_features.feature is not null end as is_core,
        first_uses.first_used_at,
        case
            when customers_measured.measured_from is not null and measures.has_users
                then cast(coalesce(users.user_count, 0) as bigint)
        end as user_count_28d
    from customer_features
    cross join measures
    left join entitlements
        on
            customer_features.customer_id = entitlements.customer_id
            and customer_features.feature = entitlements.feature
    left join core_features on customer_features.feature = core_features.feature
    left join first_uses
        on
            customer_features.customer_id = first_uses.customer_id
            and customer_features.feature = first_uses.feature
    left join users
        on
            customer_features.customer_id = users.customer_id
            and customer_features.feature = users.feature
    left join customers_measured
        on customer_features.customer_id = customers_measured.customer_id
)

select * from adoption
