with

customers as (
    select * from {{ ref('int_customers_resolved') }}
),

tenants as (
    {{ current_rows(ref('stg_logins__tenants')) }}
),

user_days as (
    select * from {{ ref('int_user_days_joined') }}
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

with_tenants as (
    select
        customers.resolved_customer_id as customer_id,
        min({{ company_date('tenants.described_from') }}) as covered_from
    from tenants
    inner join customers on tenants.customer_id = customers.customer_id
    group by customers.resolved_customer_id
),

with_use as (
    select
        customer_id,
        min(activity_date) as first_use_date,
        count(distinct case when login_count > 0 then user_id end) as login_user_count
    from user_days
    group by customer_id
),

-- A customer without a tenant cannot be seen by a feed that knows tenants: not measured, not zero.
measured as (
    select
        resolved.customer_id,
        with_use.first_use_date,
        with_use.login_user_count,
        case
            when measures.has_tenants then with_tenants.covered_from
            else cast('{{ var("company_started_on") }}' as date)
        end as covered_from,
        case
            when
                with_use.customer_id is not null
                or with_tenants.customer_id is not null
                or not measures.has_tenants
                then measures.measured_from
        end as measured_from,
        measures.has_logins
    from (select distinct resolved_customer_id as customer_id from customers) as resolved
    cross join measures
    left join with_tenants on resolved.customer_id = with_tenants.customer_id
    left join with_use on resolved.customer_id = with_use.customer_id
),

customers_measured as (
    select
        customer_id,
        first_use_date,
        covered_from,
        measured_from,
        case
            when measured_from is not null and has_logins
                then cast(coalesce(login_user_count, 0) as bigint)
        end as seats_activated
    from measured
)

select * from customers_measured
