-- Detects customers whose status periods overlap, leave a day out, or do not reach tonight.
with

periods as (
    select
        *,
        lead(valid_from) over (partition by customer_id order by valid_from) as next_valid_from
    from {{ ref('int_customers_status_periods') }}
)

select *
from periods
where
    (valid_to is null) != (next_valid_from is null)
    or valid_to != next_valid_from
    or valid_to <= valid_from
