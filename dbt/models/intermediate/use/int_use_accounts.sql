with

tenant_days as (
    select * from {{ ref('int_tenant_days_rolled_up') }}
    where {{ is_known_use() }}
),

tenants as (
    select
        tenant_id,
        customer_id,
        {{ company_date('described_from') }} as assigned_on
    from {{ ref('stg_logins__tenants') }}
    where known_to is null
),

customers as (
    select * from {{ ref('int_customers_resolved') }}
),

seen as (
    select
        tenant_id,
        customer_id as named_customer_id,
        min(activity_date) as first_use_date
    from tenant_days
    group by tenant_id, customer_id
),

accounts as (
    select
        seen.tenant_id,
        seen.named_customer_id,
        customers.resolved_customer_id as customer_id,
        tenants.assigned_on,
        seen.first_use_date
    from seen
    left join tenants on seen.tenant_id = tenants.tenant_id
    inner join customers
        on coalesce(tenants.customer_id, seen.named_customer_id) = customers.customer_id
)

select * from accounts
