with

warnings as (
    select * from {{ source('scores', 'churn_warnings') }}
),

churn_warnings as (
    select
        cast(warning_id as varchar) as warning_id,
        cast(customer_id as varchar) as customer_id,
        cast(csm_id as varchar) as csm_id,
        cast(kind as varchar) as kind,
        cast(opened_on as date) as opened_on,
        cast(closed_on as date) as closed_on,
        cast(status as varchar) as status,
        cast(close_reason as varchar) as close_reason,
        cast(reason_code as varchar) as reason_code,
        cast(drivers as varchar) as drivers,
        cast(playbook as varchar) as playbook,
        cast(due_date as date) as due_date,
        cast(due_arr as decimal(38, 10)) as due_arr,
        cast(churn_probability as double) as churn_probability,
        cast(expected_saved_arr as decimal(38, 10)) as expected_saved_arr,
        cast(is_assumed as boolean) as is_assumed,
        cast(rank as bigint) as rank,
        cast(is_within_budget as boolean) as is_within_budget,
        cast(recall_share as double) as recall_share
    from warnings
)

select * from churn_warnings
