with

playbook_runs as (
    {{ current_rows(ref('stg_crm__playbook_runs')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

responses as (
    select
        playbook_runs.playbook_run_id,
        playbook_runs.warning_id,
        coalesce(customers_resolved.resolved_customer_id, playbook_runs.customer_id)
            as customer_id,
        playbook_runs.playbook,
        playbook_runs.kind,
        {{ company_date('playbook_runs.started_at') }} as started_on,
        {{ company_date('playbook_runs.done_at') }} as done_on,
        playbook_runs.outcome,
        playbook_runs.snoozed_until
    from playbook_runs
    left join customers_resolved on playbook_runs.customer_id = customers_resolved.customer_id
)

select * from responses
