with

rounds_at_dates as (
    select * from {{ ref('int_onboarding_rounds_at_dates') }}
),

use_at_dates as (
    select * from {{ ref('int_customers_use_at_dates') }}
),

value_weeks as (
    select * from {{ ref('int_value_weeks_reached') }}
    where reached_on is not null
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

placed as (
    select
        *,
        row_number() over (
            partition by customer_id, as_of_date, known_on
            order by round_no desc
        ) as place
    from rounds_at_dates
),

last_rounds as (
    select
        placed.*,
        cast({{ dbt.dateadd('day', var('first_value_days'), 'placed.clock_date') }} as date)
            as judged_on,
        -- A feed that began after the clock's week cannot tell that no value was reached.
        use_at_dates.active_user_count_28d is not null
        and measures.has_value
        and use_at_dates.seen_from
        <= coalesce({{ plus_days('placed.clock_date', 6) }}, placed.as_of_date) as is_use_measured
    from placed
    cross join measures
    left join use_at_dates
        on
            placed.customer_id = use_at_dates.customer_id
            and placed.as_of_date = use_at_dates.as_of_date
            and placed.known_on = use_at_dates.known_on
    where placed.place = 1
),

-- Value seen while steps are still being done counts too.
value_seen as (
    select
        last_rounds.customer_id,
        last_rounds.as_of_date,
        last_rounds.known_on,
        min(value_weeks.week_start) as first_value_week
    from last_rounds
    inner join value_weeks
        on
            last_rounds.customer_id = value_weeks.customer_id
            and value_weeks.reached_on <= last_rounds.known_on
            and value_weeks.week_start <= last_rounds.as_of_date
            and value_weeks.week_start <= last_rounds.judged_on
            and value_weeks.week_start >= {{ dbt.date_trunc(
                'week', 'least(last_rounds.round_start_date, last_rounds.clock_date)') }}
    group by last_rounds.customer_id, last_rounds.as_of_date, last_rounds.known_on
),

judged as (
    select
        last_rounds.*,
        value_seen.first_value_week is not null as has_value,
        coalesce(last_rounds.judged_on <= last_rounds.as_of_date, false) as is_judged,
        last_rounds.clock_date is null or last_rounds.clock_date > last_rounds.as_of_date
            as is_before_clock,
        last_rounds.done_count = last_rounds.step_count as are_steps_done
    from last_rounds
    left join value_seen
        on
            last_rounds.customer_id = value_seen.customer_id
            and last_rounds.as_of_date = value_seen.as_of_date
            and last_rounds.known_on = value_seen.known_on
),

onboarding_at_dates as (
    select
        customer_id,
        as_of_date,
        known_on,
        round_no,
        clock_date,
        case
            when step_count = 0 and is_before_clock then 'not_started'
            when step_count = 0 and not is_use_measured then 'unmeasured'
            when is_judged and overdue_when_judged_count > 0 then 'failed'
            when is_judged and is_use_measured and not has_value then 'failed'
            when are_steps_done and (has_value or not is_use_measured) then 'succeeded'
            when overdue_count > 0 then 'stuck'
            when begun_count = 0 and step_count > 0 then 'not_started'
            else 'in_progress'
        end as onboarding_status,
        case
            when not is_before_clock
                then cast({{ dbt.datediff('clock_date', 'as_of_date', 'day') }} as bigint)
        end as onboarding_days,
        {{ divide('on_time_count', 'due_count', 'double') }} as onboarding_on_time_ratio
    from judged
)

select * from onboarding_at_dates
