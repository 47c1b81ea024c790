with

components as (
    select * from {{ source('scores', 'health_components') }}
),

health_components as (
    select
        cast(customer_id as varchar) as customer_id,
        cast(as_of_date as date) as as_of_date,
        cast(component as varchar) as component,
        cast(value as double) as value,
        cast(component_score as double) as component_score,
        cast(weight as double) as weight,
        cast(contribution as double) as contribution,
        cast(is_applicable as boolean) as is_applicable,
        cast(is_measured as boolean) as is_measured,
        cast(stale_days as bigint) as stale_days
    from components
)

select * from health_components
