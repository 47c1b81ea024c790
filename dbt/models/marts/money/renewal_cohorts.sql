with

onboarding as (
    select * from {{ ref('int_onboarding_at_dates') }}
    where as_of_date = known_on
),

renewals as (
    select * from {{ ref('renewals') }}
    where outcome not in ('lifetime', 'not_due') and not is_known_late
),

-- How the onboarding of a lost term stood on the last Sunday by which the loss was final.
lost_onboarded as (
    select
        renewals.term_id,
        onboarding.onboarding_status = 'failed' as has_failed
    from renewals
    inner join onboarding
        on
            renewals.customer_id = onboarding.customer_id
            and onboarding.as_of_date = {{ add_days(-1, dbt.date_trunc(
                'week', add_days(1, 'least(renewals.matures_on, ' ~ as_of_date() ~ ')')
            )) }}
    where renewals.outcome = 'churned' and onboarding.onboarding_status != 'unmeasured'
),

measures as (
    select 'count' as measure
    union all
    select 'money' as measure
),

{% set checkpoints = {
    'minus_30': -30, '0': 0, 'plus_30': 30, 'plus_60': 60, 'plus_90': 90,
} -%}
measured as (
    select
        {{ month_start('renewals.due_date') }} as due_month,
        measures.measure,
        renewals.term_class,
        coalesce(renewals.segment, 'unknown') as segment,
        renewals.due_date,
        renewals.outcome,
        renewals.days_from_due,
        renewals.term_months,
        renewals.is_mature,
        lost_onboarded.has_failed,
        case
            when measures.measure = 'count' then 1
            when renewals.days_from_due is not null and renewals.renewed_arr is null then 0
            else coalesce(renewals.due_arr, 0)
        end as due,
        case
            when renewals.days_from_due is null then 0
            when measures.measure = 'count' then 1
            else least(coalesce(renewals.renewed_arr, 0), coalesce(renewals.due_arr, 0))
        end as kept,
        case
            when renewals.days_from_due is null then 0
            when measures.measure = 'count' then 1
            else coalesce(renewals.renewed_arr, 0)
        end as renewed
    from renewals
    cross join measures
    left join lost_onboarded on renewals.term_id = lost_onboarded.term_id
),

cells as (
    select
        *,
        term_class as cell_term_class,
        segment as cell_segment
    from measured
    union all
    select
        *,
        'all' as cell_term_class,
        segment as cell_segment
    from measured
    union all
    select
        *,
        term_class as cell_term_class,
        'all' as cell_segment
    from measured
    union all
    select
        *,
        'all' as cell_term_class,
        'all' as cell_segment
    from measured
),

summed as (
    select
        due_month,
        measure,
        cell_term_class as term_class,
        cell_segment as segment,
        count(*) as term_count,
        max(due_date) as last_due_date,
        max(due_date) <= {{ as_of_date() }} as is_due,
        min(case when is_mature then 1 else 0 end) as is_mature,
        cast(sum(due) as decimal(38, 10)) as due,
        sum(kept) as kept,
        sum(renewed) as renewed,
        {% for name, days in checkpoints.items() -%}
        cast(sum(case when days_from_due <= {{ days }} then kept else 0 end) as decimal(38, 10))
            as kept_by_{{ name }},
        {% endfor -%}
        sum(case when outcome = 'open' then due else 0 end) as open_due,
        sum(case when outcome in ('renewed_early', 'coterminated') then due else 0 end)
            as early_due,
        sum(case when outcome = 'renewed_late' then due else 0 end) as late_due,
        sum(case when has_failed then due else 0 end) as lost_failed_due,
        sum(case when has_failed is not null then due end) as lost_judged_due,
        cast(sum(due * cast(term_months as decimal(20, 6))) as decimal(38, 10)) as due_months
    from cells
    group by due_month, measure, cell_term_class, cell_segment
),

-- What is renewed by a day is known when that day has passed for the last term of the cell.
renewal_cohorts as (
    select
        due_month,
        measure,
        term_class,
        segment,
        term_count,
        due,
        {% for name, days in checkpoints.items() -%}
        case
            when {{ add_days(days, 'last_due_date') }} <= {{ as_of_date() }}
                then kept_by_{{ name }}
        end as renewed_by_{{ name }},
        {% endfor -%}
        case when is_due then {{ divide('kept', 'due') }} end as gross_rate,
        case when is_due then {{ divide('renewed', 'due') }} end as net_rate,
        case
            when is_due
                then cast(power(
                    {{ divide('kept', 'due', 'double') }},
                    1 / nullif({{ divide('due_months', '12 * due', 'double') }}, 0)
                ) as decimal(38, 10))
        end as annualised_rate,
        {{ divide('open_due', 'due') }} as open_share,
        {{ divide('early_due', 'due') }} as early_share,
        {{ divide('late_due', 'due') }} as late_share,
        is_mature = 1 as is_mature,
        {{ divide('lost_failed_due', 'lost_judged_due') }} as lost_onboarding_failed_ratio
    from summed
)

select * from renewal_cohorts
