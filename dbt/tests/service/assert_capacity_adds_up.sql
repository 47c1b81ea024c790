-- CSMs whose customers in csm_capacity are not those that name them tonight.
with

named as (
    select
        csm_id,
        count(*) as customer_count
    from {{ ref('customer_signals') }}
    where
        as_of_date = {{ as_of_date() }}
        and known_on = {{ as_of_date() }}
        and csm_id is not null
        and mrr > 0
    group by csm_id
)

select
    coalesce(named.csm_id, capacity.csm_id) as csm_id,
    named.customer_count as named_count,
    capacity.customer_count as capacity_count
from named
full join {{ ref('csm_capacity') }} as capacity on named.csm_id = capacity.csm_id
where coalesce(named.customer_count, 0) != coalesce(capacity.customer_count, 0)
