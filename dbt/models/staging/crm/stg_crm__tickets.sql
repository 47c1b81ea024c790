with

versions as (
    {{ versions_of('tickets', key=['ticket_id']) }}
)

select
    ticket_id,
    customer_id,
    opened_at,
    kind,
    priority,
    first_response_at,
    resolved_at,
    reopened_count,
    satisfaction_score,
    responder_id,
    landed_at,
    known_from,
    known_to,
    vanished_at
from versions
