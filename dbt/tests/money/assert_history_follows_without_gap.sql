-- Detects customers whose history overlaps, leaves a day out, does not reach tonight, repeats
-- itself or is missing.
with

customers as (
    select distinct customer_id from {{ ref('int_customers_described') }}
),

history as (
    select
        *,
        lead(valid_from) over (partition by customer_id order by valid_from) as next_valid_from,
        md5(concat_ws(
            '|',
            status,
            coalesce(journey_stage, '-'),
            coalesce(segment, '-'),
            coalesce(tier, '-'),
            coalesce(csm_id, '-'),
            coalesce(current_version, '-')
        )) as description
    from {{ ref('customer_history') }}
),

compared as (
    select
        *,
        lag(description) over (partition by customer_id order by valid_from)
            as previous_description
    from history
)

select
    customers.customer_id,
    compared.valid_from,
    compared.valid_to
from customers
left join compared on customers.customer_id = compared.customer_id
where
    compared.customer_id is null
    or (compared.valid_to is null) != (compared.next_valid_from is null)
    or compared.valid_to != compared.next_valid_from
    or compared.valid_to <= compared.valid_from
    or compared.description = compared.previous_description
