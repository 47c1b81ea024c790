with

joined as (
    {{ uses_of_customers(
        ref('int_tenant_feature_days_rolled_up'),
        ['feature', 'activity_date', 'known_date', 'first_used_at']
    ) }}
),

feature_days as (
    select
        customer_id,
        feature,
        activity_date,
        min(known_date) as known_date,
        min(first_used_at) as first_used_at
    from joined
    where feature is not null
    group by customer_id, feature, activity_date
)

select * from feature_days
