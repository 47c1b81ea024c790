with

statuses as (
    select * from {{ ref('int_customers_status_periods') }}
    where status = 'churned' and valid_to is null
),

usage_days as (
    select * from {{ ref('customer_usage_daily') }}
    where event_count > 0
),

customer_use_after_expiry as (
    select
        statuses.customer_id,
        cast(null as varchar) as line_id,
        'customers' as entity,
        statuses.customer_id as entity_key,
        statuses.valid_from as happened_on,
        'Lost since ' || cast(statuses.valid_from as varchar) || ', and used the product on '
        || cast(count(*) as varchar) || ' days since, last on '
        || cast(max(usage_days.activity_date) as varchar) || '.' as detail
    from statuses
    inner join usage_days
        on
            statuses.customer_id = usage_days.customer_id
            and usage_days.activity_date
            >= {{ add_days(var('audit_expiry_days'), 'statuses.valid_from') }}
    group by statuses.customer_id, statuses.valid_from
)

select * from customer_use_after_expiry
