with

versions as (
    {{ versions_of('playbook_runs', key=['playbook_run_id']) }}
)

select
    playbook_run_id,
    customer_id,
    playbook,
    kind,
    trigger,
    warning_id,
    owner_id,
    due_on,
    started_at,
    done_at,
    outcome,
    skipped_reason,
    snoozed_until,
    known_from,
    known_to,
    vanished_at
from versions
