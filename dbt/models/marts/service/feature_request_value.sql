with

feature_requests as (
    {{ current_rows(ref('stg_crm__feature_requests')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

feature_days as (
    select * from {{ ref('int_feature_days_joined') }}
),

features_adopted as (
    select * from {{ ref('feature_adoption') }}
    where first_used_at is not null
),

features_listed as (
    {{ current_rows(ref('stg_logins__features')) }}
),

customers_measured as (
    select * from {{ ref('int_customers_measured') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

requests as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        feature_requests.feature,
        feature_requests.is_promised_at_sale,
        case
            when feature_requests.shipped_at <= night.as_of_end then feature_requests.shipped_at
        end as shipped_at,
        night.as_of_date
    from feature_requests
    inner join customers_resolved on feature_requests.customer_id = customers_resolved.customer_id
    inner join night on coalesce(feature_requests.requested_at, night.as_of_end) <= night.as_of_end
    where feature_requests.feature is not null
),

-- Shipped to one is shipped: a feature has one first day.
features as (
    select
        feature,
        count(*) as request_count,
        {{ count_when('is_promised_at_sale') }} as promised_count,
        {{ count_when('is_promised_at_sale and shipped_at is null') }}
            as promised_not_shipped_count,
        min(shipped_at) as shipped_at
    from requests
    group by feature
),

asking as (
    select distinct
        requests.feature,
        requests.customer_id,
        money_at_dates.arr,
        coalesce(money_at_dates.mrr > 0, false) as is_paying
    from requests
    left join money_at_dates
        on
            requests.customer_id = money_at_dates.customer_id
            and requests.as_of_date = money_at_dates.as_of_date
            and requests.as_of_date = money_at_dates.known_on
),

first_uses_after as (
    select
        asking.feature,
        asking.customer_id,
        min(feature_days.activity_date) as used_on
    from asking
    inner join features on asking.feature = features.feature
    inner join feature_days
        on
            asking.customer_id = feature_days.customer_id
            and asking.feature = feature_days.feature
            and feature_days.activity_date >= {{ company_date('features.shipped_at') }}
    group by asking.feature, asking.customer_id
),

-- A feature that neither the list nor any use knows is not measured.
features_known as (
    select feature from features_listed
    union
    select feature from features_adopted
),

-- Adoption is asked of those who asked for it, still pay and are seen by a feed.
asked as (
    select
        asking.feature,
        count(*) as customer_count,
        sum(asking.arr) as arr_requesting,
        {{ count_when(
            'asking.is_paying and features_known.feature is not null'
            ' and customers_measured.measured_from is not null'
        ) }} as measured_count,
        {{ count_when('asking.is_paying and first_uses_after.used_on is not null') }}
            as adopted_count
    from asking
    left join features_known on asking.feature = features_known.feature
    left join customers_measured on asking.customer_id = customers_measured.customer_id
    left join first_uses_after
        on
            asking.feature = first_uses_after.feature
            and asking.customer_id = first_uses_after.customer_id
    group by asking.feature
),

feature_request_value as (
    select
        features.feature,
        cast(features.request_count as bigint) as request_count,
        cast(asked.customer_count as bigint) as customer_count,
        cast(asked.arr_requesting as decimal(38, 10)) as arr_requesting,
        cast(features.promised_count as bigint) as promised_count,
        cast(features.promised_not_shipped_count as bigint) as promised_not_shipped_count,
        features.shipped_at,
        case when features.shipped_at is not null then cast(asked.measured_count as bigint) end
            as adoption_measured_count,
        case
            when features.shipped_at is not null
                then {{ divide('asked.adopted_count', 'asked.measured_count', 'double') }}
        end as adoption_after_ratio
    from features
    inner join asked on features.feature = asked.feature
)

select * from feature_request_value
