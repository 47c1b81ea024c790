with

versions as (
    {{ versions_of('ownerships', key=['customer_id', 'role', 'valid_from']) }}
)

select
    customer_id,
    role,
    valid_from,
    employee_id,
    valid_to,
    known_from,
    known_to,
    vanished_at
from versions
