with

versions as (
    {{ versions_of('churn_reasons', key=['customer_id', 'noted_at']) }}
)

select
    customer_id,
    noted_at,
    reason,
    note,
    known_from,
    known_to,
    vanished_at
from versions
