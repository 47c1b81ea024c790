-- Detects due months whose cells in total do not hold the terms due, or keep more than was due.
with

renewals as (
    select
        {{ month_start('due_date') }} as due_month,
        count(*) as term_count,
        sum(case when days_from_due is null or renewed_arr is not null then due_arr end) as due_arr
    from {{ ref('renewals') }}
    where outcome not in ('lifetime', 'not_due') and not is_known_late
    group by 1
),

cohorts as (
    select * from {{ ref('renewal_cohorts') }}
    where term_class = 'all' and segment = 'all'
)

select
    renewals.due_month,
    cohorts.measure
from renewals
full join cohorts on renewals.due_month = cohorts.due_month
where
    cohorts.due_month is null
    or renewals.due_month is null
    or (cohorts.measure = 'count' and cohorts.due != renewals.term_count)
    or (cohorts.measure = 'money' and abs(cohorts.due - coalesce(renewals.due_arr, 0)) > 0.005)
    or cohorts.gross_rate > 1
