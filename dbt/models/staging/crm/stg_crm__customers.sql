with

versions as (
    {{ versions_of('customers', key=['customer_id']) }}
)

select
    customer_id,
    name,
    created_at,
    industry,
    region,
    country,
    employee_count,
    segment,
    parent_customer_id,
    merged_into_customer_id,
    legal_id,
    domain,
    fit_pct,
    fit_with_roadmap_pct,
    is_business_closed,
    -- No source says when a business closed: in a first load the row's own change tells by when it
    -- had, else the load does.
    case
        when is_business_closed and is_first_load = 1 then coalesce(_version_at, landed_at)
        when is_business_closed then known_from
    end as closure_known_from,
    is_reference,
    goal,
    goal_status,
    goal_verified_on,
    attributes,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
