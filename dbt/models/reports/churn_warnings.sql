with

warnings as (
    select * from {{ source('scores', 'churn_warnings') }}
),

responses as (
    select * from {{ ref('playbook_responses') }}
),

-- A warning that is skipped stays open: who, when and why stand beside it.
skipped as (
    select
        warning_id,
        max(skipped_on) as skipped_on,
        max_by(owner_id, (skipped_on, playbook_run_id)) as skipped_by,
        max_by(skipped_reason, (skipped_on, playbook_run_id)) as skipped_reason
    from responses
    where skipped_on is not null
    group by warning_id
),

churn_warnings as (
    select
        cast(warnings.warning_id as varchar) as warning_id,
        cast(warnings.customer_id as varchar) as customer_id,
        cast(warnings.csm_id as varchar) as csm_id,
        cast(warnings.kind as varchar) as kind,
        cast(warnings.opened_on as date) as opened_on,
        cast(warnings.closed_on as date) as closed_on,
        cast(warnings.status as varchar) as status,
        cast(warnings.close_reason as varchar) as close_reason,
        cast(warnings.reason_code as varchar) as reason_code,
        cast(warnings.drivers as varchar) as drivers,
        cast(warnings.held_by as varchar) as held_by,
        cast(warnings.playbook as varchar) as playbook,
        cast(warnings.due_date as date) as due_date,
        cast(warnings.due_arr as decimal(38, 10)) as due_arr,
        cast(warnings.churn_probability as double) as churn_probability,
        cast(warnings.expected_saved_arr as decimal(38, 10)) as expected_saved_arr,
        cast(warnings.is_assumed as boolean) as is_assumed,
        cast(warnings.is_urgent as boolean) as is_urgent,
        cast(warnings.rank as bigint) as rank,
        cast(warnings.is_within_budget as boolean) as is_within_budget,
        cast(warnings.recall_share as double) as recall_share,
        skipped.skipped_on,
        skipped.skipped_by,
        skipped.skipped_reason
    from warnings
    left join skipped on warnings.warning_id = skipped.warning_id
)

select * from churn_warnings
