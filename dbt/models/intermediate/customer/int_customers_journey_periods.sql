with

status_periods as (
    select * from {{ ref('int_customers_status_periods') }}
),

rounds as (
    select * from {{ ref('int_onboarding_rounds_at_dates') }}
    where as_of_date = {{ as_of_date() }} and known_on = {{ as_of_date() }}
),

onboarding_steps as (
    {{ current_rows(ref('stg_crm__onboarding_steps')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

value_weeks as (
    select * from {{ ref('int_value_weeks_reached') }}
    where reached_on is not null
),

use_measured as (
    select has_value and measured_from is not null as has_value
    from {{ ref('int_use_measures') }}
),

runs as (
    select * from {{ ref('int_customers_paid_runs') }}
    where measure = 'paid'
),

renewals as (
    select * from {{ ref('renewals') }}
    where term_class = 'longer' and outcome != 'lifetime'
),

steps_done as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        onboarding_steps.round_no,
        max({{ company_date(
            'coalesce(onboarding_steps.done_at, onboarding_steps.accepted_at)'
        ) }}) as done_on
    from onboarding_steps
    inner join customers_resolved on onboarding_steps.customer_id = customers_resolved.customer_id
    group by customers_resolved.resolved_customer_id, onboarding_steps.round_no
),

value_seen as (
    select
        rounds.customer_id,
        rounds.round_no,
        min(greatest(value_weeks.reached_on, rounds.round_start_date)) as value_on
    from rounds
    inner join value_weeks
        on
            rounds.customer_id = value_weeks.customer_id
            and value_weeks.week_start >= {{ dbt.date_trunc(
                'week', 'least(rounds.round_start_date, rounds.clock_date)'
            ) }}
    group by rounds.customer_id, rounds.round_no
),

-- A round ends when its steps are done and value was seen, at the latest when it is judged.
onboarding_rounds as (
    select
        rounds.customer_id,
        rounds.round_start_date as holds_from,
        case
            when rounds.step_count = 0 and not use_measured.has_value then rounds.round_start_date
            else coalesce(least(
                {{ add_days(var('first_value_days'), 'rounds.clock_date') }},
                case
                    when
                        rounds.done_count = rounds.step_count
                        and (value_seen.value_on is not null or not use_measured.has_value)
                        then greatest(steps_done.done_on, value_seen.value_on)
                end
            ), {{ add_days(var('first_value_days'), 'rounds.round_start_date') }})
        end as holds_to
    from rounds
    cross join use_measured
    left join steps_done
        on rounds.customer_id = steps_done.customer_id and rounds.round_no = steps_done.round_no
    left join value_seen
        on rounds.customer_id = value_seen.customer_id and rounds.round_no = value_seen.round_no
    where rounds.round_start_date is not null
),

spans as (
    select
        customer_id,
        status as span,
        valid_from as holds_from,
        valid_to as holds_to
    from status_periods
    union all
    select
        customer_id,
        'paying' as span,
        valid_from as holds_from,
        valid_to as holds_to
    from status_periods
    where status in ('formal', 'renewed', 'pay_as_you_go')
    union all
    select
        customer_id,
        'first_days' as span,
        min(run_start) as holds_from,
        {{ add_days(var('onboarding_days'), 'min(run_start)') }} as holds_to
    from runs
    group by customer_id
    union all
    select
        customer_id,
        'onboarding_open' as span,
        holds_from,
        holds_to
    from onboarding_rounds
    union all
    select
        customer_id,
        'renewal_window' as span,
        {{ add_days(-1 * var('renewal_window_days'), 'due_date') }} as holds_from,
        outcome_date as holds_to
    from renewals
    union all
    select
        customer_id,
        'renewal_talks' as span,
        talk_started_date as holds_from,
        outcome_date as holds_to
    from renewals
    where talk_started_date is not null
),

boundaries as (
    select
        customer_id,
        holds_from as valid_from
    from spans
    union
    select
        customer_id,
        holds_to as valid_from
    from spans
    where holds_to is not null
),

holding as (
    select
        boundaries.customer_id,
        boundaries.valid_from,
        {%- for stage, span in var('journey_stages').items() %}
        max(case when spans.span = '{{ span }}' then 1 else 0 end) = 1 as is_{{ stage }},
        {%- endfor %}
        max(case when spans.span = 'paying' then 1 else 0 end) = 1 as is_paying,
        max(case when spans.span = 'lapsed' then 1 else 0 end) = 1 as is_lapsed,
        max(case when spans.span = 'churned' then 1 else 0 end) = 1 as is_churned
    from boundaries
    inner join spans
        on
            boundaries.customer_id = spans.customer_id
            and boundaries.valid_from >= spans.holds_from
            and (boundaries.valid_from < spans.holds_to or spans.holds_to is null)
    where boundaries.valid_from <= {{ as_of_date() }}
    group by boundaries.customer_id, boundaries.valid_from
),

-- Onboarding and renewing are stages of customers that pay; the last that holds is in use.
staged as (
    select
        customer_id,
        valid_from,
        case
            when is_churned then null
            when is_lapsed then 'renewing'
            when is_paying and is_onboarding then 'onboarding'
            when is_paying and is_renewing then 'renewing'
            when is_paying or is_in_use then 'in_use'
            when is_signed then 'signed'
            when is_trial then 'trial'
            when is_select then 'select'
        end as journey_stage
    from holding
),

compared as (
    select
        *,
        {{ is_change('journey_stage') }} as is_change
    from staged
),

journey_periods as (
    select
        customer_id,
        journey_stage,
        valid_from,
        lead(valid_from) over (partition by customer_id order by valid_from) as valid_to
    from compared
    where is_change
)

select * from journey_periods
