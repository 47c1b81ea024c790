with

rolled_up as (
    select * from {{ ref('int_user_days_rolled_up') }}
),

tenants as (
    {{ current_rows(ref('stg_logins__tenants')) }}
),

customers as (
    select * from {{ ref('int_customers_resolved') }}
),

joined as (
    select
        customers.resolved_customer_id as customer_id,
        rolled_up.user_id,
        rolled_up.activity_date,
        rolled_up.known_date,
        rolled_up.event_count,
        rolled_up.login_count,
        rolled_up.core_action_count,
        rolled_up.value_action_count,
        rolled_up.help_view_count,
        rolled_up.duration_seconds
    from rolled_up
    left join tenants on rolled_up.tenant_id = tenants.tenant_id
    inner join customers
        on coalesce(tenants.customer_id, rolled_up.customer_id) = customers.customer_id
    where
        rolled_up.known_date <= {{ as_of_date() }}
        and rolled_up.activity_date <= {{ as_of_date() }}
),

-- Two tenants of one customer, or two batches of one day, are one user-day.
user_days as (
    select
        customer_id,
        user_id,
        activity_date,
        known_date,
        cast(sum(event_count) as bigint) as event_count,
        cast(sum(login_count) as bigint) as login_count,
        cast(sum(core_action_count) as bigint) as core_action_count,
        cast(sum(value_action_count) as bigint) as value_action_count,
        cast(sum(help_view_count) as bigint) as help_view_count,
        cast(sum(duration_seconds) as bigint) as duration_seconds
    from joined
    group by customer_id, user_id, activity_date, known_date
)

select * from user_days
