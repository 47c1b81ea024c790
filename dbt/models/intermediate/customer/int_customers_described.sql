with

versions as (
    select * from {{ ref('stg_crm__customers') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

customers as (
    select distinct resolved_customer_id as customer_id from customers_resolved
),

described as (
    select
        customers.customer_id,
        versions.name as customer_name,
        versions.created_at,
        versions.industry,
        versions.region,
        versions.country,
        versions.employee_count,
        versions.segment,
        coalesce(parents.resolved_customer_id, versions.parent_customer_id) as parent_customer_id,
        versions.legal_id,
        versions.domain,
        versions.fit_pct,
        versions.fit_with_roadmap_pct,
        versions.closure_known_from,
        versions.is_reference,
        versions.goal,
        versions.goal_status,
        versions.goal_verified_on,
        versions.attributes,
        coalesce(
            versions.described_from, cast('{{ var("company_started_on") }}' as timestamptz)
        ) as described_from,
        versions.known_to,
        versions.vanished_at,
        versions.customer_id is not null as is_in_crm
    from customers
    left join versions on customers.customer_id = versions.customer_id
    left join customers_resolved as parents on versions.parent_customer_id = parents.customer_id
)

select * from described
