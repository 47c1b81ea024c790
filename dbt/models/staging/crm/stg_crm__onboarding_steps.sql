with

versions as (
    {{ versions_of('onboarding_steps', key=['customer_id', 'round_no', 'step']) }}
)

select
    customer_id,
    round_no,
    step,
    order_id,
    sequence,
    target_days,
    due_on,
    started_at,
    done_at,
    accepted_at,
    owner_id,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
