with

rolled_up as (
    select * from {{ ref('int_tenant_days_rolled_up') }}
),

named_uses as (
    select * from {{ ref('int_user_days_rolled_up') }}
    where user_id is not null and {{ is_known_use() }}
),

core_features as (
    select * from {{ ref('int_core_features') }}
),

entitlements as (
    select * from {{ ref('stg_orders__feature_entitlements') }}
),

tenants as (
    select * from {{ ref('stg_logins__tenants') }}
),

seen as (
    select
        min(activity_date) as first_use_date,
        min(known_date) as first_known_on,
        max(login_count) as most_logins
    from rolled_up
    where {{ is_known_use() }}
),

-- The north star asks for users: events that name none cannot reach it.
measures as (
    select
        first_use_date as measured_from,
        first_known_on,
        exists (select 1 from named_uses) as has_users,
        coalesce(most_logins > 0, false) as has_logins,
        exists (select 1 from core_features) as has_core,
        exists (select 1 from named_uses)
        {%- if not var('value_events') %} and exists (select 1 from core_features){% endif %}
            as has_value,
        {{ 'true' if var('help_events') else 'false' }} as has_help,
        exists (select 1 from entitlements) as has_entitlements,
        exists (select 1 from tenants) as has_tenants
    from seen
)

select * from measures
