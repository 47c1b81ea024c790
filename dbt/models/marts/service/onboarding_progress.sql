with

onboarding_steps as (
    {{ current_rows(ref('stg_crm__onboarding_steps')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

rounds_at_dates as (
    select * from {{ ref('int_onboarding_rounds_at_dates') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

-- That a step was begun, done or accepted counts from its own moment.
steps as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        onboarding_steps.round_no,
        onboarding_steps.step,
        onboarding_steps.order_id,
        onboarding_steps.sequence,
        onboarding_steps.owner_id,
        onboarding_steps.target_days,
        onboarding_steps.due_on,
        case
            when onboarding_steps.started_at <= night.as_of_end then onboarding_steps.started_at
        end as started_at,
        case
            when onboarding_steps.accepted_at <= night.as_of_end then onboarding_steps.accepted_at
        end as accepted_at,
        case
            when
                coalesce(onboarding_steps.done_at, onboarding_steps.accepted_at) <= night.as_of_end
                then coalesce(onboarding_steps.done_at, onboarding_steps.accepted_at)
        end as done_at,
        night.as_of_date,
        row_number() over (
            partition by
                customers_resolved.resolved_customer_id,
                onboarding_steps.round_no,
                onboarding_steps.step
            order by
                case
                    when onboarding_steps.customer_id = customers_resolved.resolved_customer_id
                        then 1
                    else 2
                end,
                onboarding_steps.customer_id
        ) as place
    from onboarding_steps
    inner join customers_resolved on onboarding_steps.customer_id = customers_resolved.customer_id
    cross join night
    where {{ is_there_at('onboarding_steps', 'night.as_of_end') }}
),

-- Where merged customers both have a step, the one of the customer that stays is told.
steps_due as (
    select
        steps.*,
        coalesce(
            steps.due_on,
            {{ add_days('cast(steps.target_days as integer)', 'rounds.round_start_date') }}
        ) as due_date
    from steps
    left join rounds_at_dates as rounds
        on
            steps.customer_id = rounds.customer_id
            and steps.round_no = rounds.round_no
            and steps.as_of_date = rounds.as_of_date
            and steps.as_of_date = rounds.known_on
    where steps.place = 1
),

progress as (
    select
        customer_id,
        round_no,
        step,
        order_id,
        owner_id,
        sequence,
        target_days,
        due_date as due_on,
        started_at,
        done_at,
        accepted_at,
        case
            when done_at is not null then {{ company_date('done_at') }} <= due_date
            when due_date < as_of_date then false
        end as is_on_time,
        done_at is null and coalesce(due_date < as_of_date, false) as is_stuck,
        cast(
            {{ elapsed_days(company_date('started_at'), company_date('done_at')) }} as bigint
        ) as duration_days
    from steps_due
)

select * from progress
