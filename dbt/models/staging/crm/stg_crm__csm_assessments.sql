with

versions as (
    {{ versions_of('csm_assessments', key=['customer_id', 'assessed_at']) }}
)

select
    customer_id,
    assessed_at,
    employee_id,
    view,
    note,
    known_from,
    known_to,
    vanished_at
from versions
