with

versions as (
    {{ versions_of('surveys', key=['survey_id']) }}
)

select
    survey_id,
    customer_id,
    kind,
    sent_at,
    responded_at,
    score,
    known_from,
    known_to,
    vanished_at
from versions
