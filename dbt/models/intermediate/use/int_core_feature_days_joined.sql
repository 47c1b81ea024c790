with

rolled_up as (
    select * from {{ ref('int_core_feature_days_rolled_up') }}
),

tenants as (
    {{ current_rows(ref('stg_logins__tenants')) }}
),

customers as (
    select * from {{ ref('int_customers_resolved') }}
),

feature_days as (
    select
        customers.resolved_customer_id as customer_id,
        rolled_up.feature,
        rolled_up.activity_date,
        min(rolled_up.known_date) as known_date
    from rolled_up
    left join tenants on rolled_up.tenant_id = tenants.tenant_id
    inner join customers
        on coalesce(tenants.customer_id, rolled_up.customer_id) = customers.customer_id
    where
        rolled_up.known_date <= {{ as_of_date() }}
        and rolled_up.activity_date <= {{ as_of_date() }}
    group by customers.resolved_customer_id, rolled_up.feature, rolled_up.activity_date
)

select * from feature_days
