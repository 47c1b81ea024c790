with

versions as (
    {{ versions_of('employees', key=['employee_id']) }}
)

select
    employee_id,
    name,
    email,
    role,
    team,
    started_on,
    left_on,
    weekly_hours,
    certified_on,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
