with

terms as (
    select
        customer_id,
        term_id,
        term_start,
        grace_days,
        coalesce(continued_until, effective_end, {{ far_future() }}) as covered_until,
        contract_mrr > 0 as has_mrr
    from {{ ref('subscription_terms') }}
    where is_paid
),

measured as (
    select
        'paid' as measure,
        *
    from terms
    union all
    select
        'mrr' as measure,
        *
    from terms
    where has_mrr
),

compared as (
    select
        *,
        max(covered_until) over (
            partition by measure, customer_id
            order by term_start, term_id
            rows between unbounded preceding and 1 preceding
        ) as covered_before
    from measured
),

numbered as (
    select
        *,
        sum(case when covered_before >= term_start then 0 else 1 end) over (
            partition by measure, customer_id
            order by term_start, term_id
            rows between unbounded preceding and current row
        ) as run_no
    from compared
),

bounded as (
    select
        *,
        max(covered_until) over (partition by measure, customer_id, run_no) as run_end
    from numbered
),

runs as (
    select
        measure,
        customer_id,
        run_no,
        min(term_start) as run_start,
        max(run_end) as run_end,
        max(case when covered_until = run_end then grace_days end) as grace_days
    from bounded
    group by measure, customer_id, run_no
),

with_gaps as (
    select
        measure,
        customer_id,
        run_no,
        run_start,
        case when run_end < {{ far_future() }} then run_end end as run_end,
        case
            when run_end < {{ far_future() }} then {{ add_days('grace_days', 'run_end') }}
        end as grace_end,
        lag(run_end) over (partition by measure, customer_id order by run_no) as previous_run_end,
        lag(grace_days) over (partition by measure, customer_id order by run_no)
            as previous_grace_days,
        lead(run_start) over (partition by measure, customer_id order by run_no) as next_run_start
    from runs
)

select * from with_gaps
