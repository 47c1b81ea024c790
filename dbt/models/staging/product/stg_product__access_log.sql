with

versions as (
    {{ versions_of('access_log', key=['entry_id']) }}
)

select
    entry_id,
    employee_id,
    occurred_at,
    action,
    allowed_role,
    known_from,
    known_to,
    vanished_at
from versions
