with

versions as (
    {{ versions_of('interactions', key=['interaction_id']) }}
)

select
    interaction_id,
    customer_id,
    occurred_at,
    recorded_at,
    employee_id,
    contact_id,
    direction,
    mode,
    channel,
    kind,
    summary,
    attachment_uri,
    known_from,
    known_to,
    vanished_at
from versions
