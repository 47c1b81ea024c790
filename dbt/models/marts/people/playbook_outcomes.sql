with

playbook_runs as (
    select * from {{ ref('playbook_responses') }}
),

subscription_terms as (
    select * from {{ ref('subscription_terms') }}
    where is_paid and not is_trial and mrr > 0
),

outcomes as (
    select * from {{ ref('customer_outcomes') }}
    where kind = 'mrr_loss'
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

runs as (
    select
        playbook_runs.playbook_run_id,
        playbook_runs.playbook,
        playbook_runs.customer_id,
        coalesce(playbook_runs.kind = 'upsell', false) as is_upsell,
        playbook_runs.due_on,
        playbook_runs.skipped_reason,
        case when playbook_runs.done_on <= night.as_of_date then playbook_runs.done_on end
            as done_on,
        night.as_of_date
    from playbook_runs
    inner join night
        on coalesce(playbook_runs.started_on, night.as_of_date) <= night.as_of_date
),

-- A run is judged when its customer paid on the day it was done, and a loss within the horizon
-- would be final by now.
judged as (
    select distinct
        runs.playbook_run_id,
        runs.customer_id,
        runs.done_on
    from runs
    inner join subscription_terms
        on
            runs.customer_id = subscription_terms.customer_id
            and subscription_terms.term_start <= runs.done_on
            and (
                coalesce(subscription_terms.continued_until, subscription_terms.effective_end)
                is null
                or coalesce(subscription_terms.continued_until, subscription_terms.effective_end)
                > runs.done_on
            )
    where
        not runs.is_upsell
        and {{ add_days(var('save_horizon_days') + var('grace_days_longer'), 'runs.done_on') }}
        <= runs.as_of_date
),

lost as (
    select distinct judged.playbook_run_id
    from judged
    inner join outcomes
        on
            judged.customer_id = outcomes.customer_id
            and outcomes.outcome_date > judged.done_on
            and outcomes.outcome_date
            <= {{ add_days(var('save_horizon_days'), 'judged.done_on') }}
),

counted as (
    select
        runs.playbook,
        count(*) as offered_count,
        count(runs.done_on) as done_count,
        {{ count_when('runs.done_on <= runs.due_on') }} as on_time_count,
        {{ count_when('runs.skipped_reason is not null and runs.done_on is null') }}
            as skipped_count,
        count(judged.playbook_run_id) as judged_count,
        count(judged.playbook_run_id) - count(lost.playbook_run_id) as saved_count
    from runs
    left join judged on runs.playbook_run_id = judged.playbook_run_id
    left join lost on runs.playbook_run_id = lost.playbook_run_id
    group by runs.playbook
),

playbook_outcomes as (
    select
        playbook,
        cast(offered_count as bigint) as offered_count,
        cast(done_count as bigint) as done_count,
        cast(on_time_count as bigint) as on_time_count,
        cast(skipped_count as bigint) as skipped_count,
        cast(judged_count as bigint) as judged_count,
        {{ divide('saved_count', 'judged_count', 'double') }} as save_rate,
        {{ wilson('saved_count', 'judged_count', 'low') }} as save_low,
        {{ wilson('saved_count', 'judged_count', 'high') }} as save_high
    from counted
)

select * from playbook_outcomes
