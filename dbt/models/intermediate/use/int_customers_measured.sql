with

customers as (
    select * from {{ ref('int_customers_resolved') }}
),

tenants as (
    {{ current_rows(ref('stg_logins__tenants')) }}
),

accounts as (
    select * from {{ ref('int_use_accounts') }}
),

login_days as (
    select * from {{ ref('int_user_days_joined') }}
    where login_count > 0
),

core_entitlements as (
    select * from {{ ref('int_features_entitled') }}
    where is_core
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
        min(first_use_date) as first_use_date,
        {{ digest_rows(['tenant_id', 'named_customer_id', 'assigned_on']) }} as digest
    from accounts
    group by customer_id
),

with_logins as (
    select
        customer_id,
        count(distinct user_id) as login_user_count
    from login_days
    group by customer_id
),

entitled as (
    select
        customer_id,
        {{ digest_rows(['feature', 'is_known_then', 'entitled_from', 'entitled_to']) }} as digest
    from core_entitlements
    group by customer_id
),

-- A customer without a tenant cannot be seen by a feed that knows tenants: not measured, not zero.
measured as (
    select
        resolved.customer_id,
        with_use.first_use_date,
        with_logins.login_user_count,
        hash(with_use.digest, entitled.digest) as customer_digest,
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
        measures.has_logins and measures.has_users as has_logins
    from (select distinct resolved_customer_id as customer_id from customers) as resolved
    cross join measures
    left join with_tenants on resolved.customer_id = with_tenants.customer_id
    left join with_use on resolved.customer_id = with_use.customer_id
    left join with_logins on resolved.customer_id = with_logins.customer_id
    left join entitled on resolved.customer_id = entitled.customer_id
),

customers_measured as (
    select
        customer_id,
        first_use_date,
        customer_digest,
        covered_from,
        measured_from,
        case
            when measured_from is not null and has_logins
                then cast(coalesce(login_user_count, 0) as bigint)
        end as seats_activated
    from measured
)

select * from customers_measured
