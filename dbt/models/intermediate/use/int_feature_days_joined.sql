{{ config(materialized='view') }}

{{ uses_of_customers(
    ref('int_tenant_feature_days_rolled_up'),
    ['feature', 'activity_date', 'first_used_at'],
    'feature is not null'
) }}
