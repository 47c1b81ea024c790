with

playbook_runs as (
    {{ current_rows(ref('stg_crm__playbook_runs')) }}
),

versions as (
    select * from {{ ref('stg_crm__playbook_runs') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

-- An answer without a date, as warning_actions.csv brings it back, was given when it became known.
answered as (
    select
        playbook_run_id,
        min(known_from) as answered_at
    from versions
    where outcome is not null and skipped_reason is null and snoozed_until is null
    group by playbook_run_id
),

dated as (
    select
        playbook_runs.*,
        coalesce(playbook_runs.started_at, playbook_runs.done_at, answered.answered_at)
            as begun_at,
        case
            when playbook_runs.started_at is null
                then coalesce(playbook_runs.done_at, answered.answered_at)
            else playbook_runs.done_at
        end as ended_at
    from playbook_runs
    left join answered
        on
            playbook_runs.playbook_run_id = answered.playbook_run_id
            and playbook_runs.outcome is not null
            and playbook_runs.skipped_reason is null
            and playbook_runs.snoozed_until is null
),

responses as (
    select
        dated.playbook_run_id,
        dated.warning_id,
        coalesce(customers_resolved.resolved_customer_id, dated.customer_id) as customer_id,
        dated.playbook,
        dated.kind,
        {{ company_date('dated.begun_at') }} as started_on,
        {{ company_date('dated.ended_at') }} as done_on,
        dated.owner_id,
        dated.due_on,
        dated.outcome,
        dated.skipped_reason,
        case when dated.skipped_reason is not null then {{ company_date('dated.known_from') }} end
            as skipped_on,
        dated.snoozed_until
    from dated
    left join customers_resolved on dated.customer_id = customers_resolved.customer_id
)

select * from responses
