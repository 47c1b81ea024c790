with

rolled_up as (
    select * from {{ ref('int_user_days_rolled_up') }}
),

batches as (
    select * from {{ ref('stg_ingest__batches') }}
),

tenants as (
    {{ current_rows(ref('stg_logins__tenants')) }}
),

customers as (
    select * from {{ ref('int_customers_resolved') }}
),

feed_days as (
    select * from {{ ref('int_feed_days_judged') }}
),

feed_users as (
    select
        batches.source as feed,
        rolled_up.tenant_id,
        rolled_up.customer_id,
        min(rolled_up.activity_date) as first_date
    from rolled_up
    inner join batches on rolled_up.batch_id = batches.batch_id
    where
        rolled_up.known_date <= {{ as_of_date() }}
        and rolled_up.activity_date <= {{ as_of_date() }}
    group by batches.source, rolled_up.tenant_id, rolled_up.customer_id
),

customer_feeds as (
    select
        customers.resolved_customer_id as customer_id,
        feed_users.feed,
        min(feed_users.first_date) as first_date
    from feed_users
    left join tenants on feed_users.tenant_id = tenants.tenant_id
    inner join customers
        on coalesce(tenants.customer_id, feed_users.customer_id) = customers.customer_id
    group by customers.resolved_customer_id, feed_users.feed
),

-- While one of a customer's feeds still delivers, its silence would be seen.
outage_days as (
    select
        customer_feeds.customer_id,
        feed_days.activity_date as outage_date
    from customer_feeds
    inner join feed_days
        on
            customer_feeds.feed = feed_days.feed
            and customer_feeds.first_date <= feed_days.activity_date
    group by customer_feeds.customer_id, feed_days.activity_date
    having min(case when feed_days.is_outage then 1 else 0 end) = 1
)

select * from outage_days
