with

rounds_at_dates as (
    select * from {{ ref('int_onboarding_rounds_at_dates') }}
),

service_at_dates as (
    select * from {{ ref('int_customers_service_at_dates') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

paid_runs as (
    select * from {{ ref('int_customers_paid_runs') }}
    where measure = 'paid'
),

customers as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null
),

value_weeks as (
    select * from {{ ref('int_value_weeks_reached') }}
    where reached_on is not null
),

user_days as (
    select * from {{ ref('int_user_days_joined') }}
),

customers_measured as (
    select * from {{ ref('int_customers_measured') }}
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

contacts_made as (
    select * from {{ ref('int_contacts_made') }}
    where known_to is null and kind = 'training'
),

usage_days as (
    select * from {{ ref('customer_usage_daily') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

rounds_tonight as (
    select rounds_at_dates.*
    from rounds_at_dates
    inner join night
        on
            rounds_at_dates.as_of_date = night.as_of_date
            and rounds_at_dates.known_on = night.as_of_date
),

round_counts as (
    select
        customer_id,
        min(round_no) as first_round_no,
        count(*) as round_count
    from rounds_tonight
    group by customer_id
),

first_rounds as (
    select
        rounds_tonight.customer_id,
        round_counts.round_count,
        rounds_tonight.clock_date,
        least(rounds_tonight.round_start_date, rounds_tonight.clock_date) as begun_on
    from rounds_tonight
    inner join round_counts
        on
            rounds_tonight.customer_id = round_counts.customer_id
            and rounds_tonight.round_no = round_counts.first_round_no
),

first_value_weeks as (
    select
        first_rounds.customer_id,
        min(value_weeks.week_start) as week_start
    from first_rounds
    inner join value_weeks
        on
            first_rounds.customer_id = value_weeks.customer_id
            and value_weeks.week_start
            >= cast({{ dbt.date_trunc('week', 'first_rounds.begun_on') }} as date)
    group by first_rounds.customer_id
),

users_in_week as (
    select
        user_days.customer_id,
        user_days.user_id,
        user_days.activity_date,
        sum(user_days.value_action_count) as value_action_count,
        case
            when user_days.user_id is null then 0
            when row_number() over (
                partition by user_days.customer_id, user_days.user_id
                order by user_days.activity_date
            ) = 1 then 1
            else 0
        end as new_user_count
    from user_days
    inner join first_value_weeks
        on
            user_days.customer_id = first_value_weeks.customer_id
            and user_days.activity_date >= first_value_weeks.week_start
            and user_days.activity_date < {{ add_days(7, 'first_value_weeks.week_start') }}
    where user_days.value_action_count > 0
    group by user_days.customer_id, user_days.user_id, user_days.activity_date
),

value_running as (
    select
        customer_id,
        activity_date,
        sum(sum(value_action_count)) over to_date as value_action_count,
        sum(sum(new_user_count)) over to_date as value_user_count
    from users_in_week
    group by customer_id, activity_date
    window
        to_date as (
            partition by customer_id
            order by activity_date
            rows between unbounded preceding and current row
        )
),

first_values as (
    select
        customer_id,
        min(activity_date) as first_value_at
    from value_running
    where
        value_action_count >= {{ var('north_star_min_actions') }}
        and value_user_count >= {{ var('north_star_min_users') }}
    group by customer_id
),

last_runs as (
    select
        customer_id,
        max(coalesce(run_end, {{ far_future() }})) as paid_until
    from paid_runs
    group by customer_id
),

training_days as (
    select distinct
        customer_id,
        contact_date
    from contacts_made
),

-- Use of the 28 days before a training beside that of the 28 days after it.
trainings as (
    select
        training_days.customer_id,
        count(*) as training_count,
        sum(days_before.active_user_count_28d) as users_before,
        sum(days_after.active_user_count_28d) as users_after
    from training_days
    inner join measures
        on measures.measured_from <= {{ add_days(-28, 'training_days.contact_date') }}
    inner join usage_days as days_before
        on
            training_days.customer_id = days_before.customer_id
            and {{ add_days(-1, 'training_days.contact_date') }} = days_before.activity_date
    inner join usage_days as days_after
        on
            training_days.customer_id = days_after.customer_id
            and {{ add_days(28, 'training_days.contact_date') }} = days_after.activity_date
    where
        days_before.active_user_count_28d is not null
        and days_after.active_user_count_28d is not null
    group by training_days.customer_id
),

joined as (
    select
        first_rounds.customer_id,
        customers.segment,
        customers.fit_pct,
        customers.fit_with_roadmap_pct,
        first_rounds.round_count,
        first_rounds.clock_date,
        service.onboarding_status,
        money.last_outcome,
        money.seats_bought,
        customers_measured.seats_activated,
        first_values.first_value_at,
        case
            when
                first_rounds.clock_date <= night.as_of_date
                and measures.has_value
                and customers_measured.measured_from is not null
                then
                    first_values.first_value_at is null
                    or coalesce(first_values.first_value_at >= last_runs.paid_until, false)
        end as is_censored,
        greatest(first_rounds.clock_date, least(night.as_of_date, last_runs.paid_until))
            as followed_until,
        coalesce(trainings.training_count, 0) as training_count,
        trainings.users_before,
        trainings.users_after
    from first_rounds
    cross join night
    cross join measures
    left join customers on first_rounds.customer_id = customers.customer_id
    left join customers_measured on first_rounds.customer_id = customers_measured.customer_id
    left join first_values on first_rounds.customer_id = first_values.customer_id
    left join last_runs on first_rounds.customer_id = last_runs.customer_id
    left join trainings on first_rounds.customer_id = trainings.customer_id
    left join service_at_dates as service
        on
            first_rounds.customer_id = service.customer_id
            and night.as_of_date = service.as_of_date
            and night.as_of_date = service.known_on
    left join money_at_dates as money
        on
            first_rounds.customer_id = money.customer_id
            and night.as_of_date = money.as_of_date
            and night.as_of_date = money.known_on
),

-- Value that came before the clock took no time; a customer that left is followed until then.
activations as (
    select
        customer_id,
        segment,
        case
            when fit_pct >= 30 then 'fits'
            when fit_with_roadmap_pct >= 30 then 'fits_with_roadmap'
            when fit_pct is not null then 'does_not_fit'
        end as fit_group,
        cast(round_count as bigint) as round_count,
        clock_date,
        onboarding_status,
        last_outcome,
        seats_bought,
        seats_activated,
        {{ divide('seats_activated', 'seats_bought', 'double') }} as seat_activation_ratio,
        case when not is_censored then first_value_at end as first_value_at,
        case
            when not is_censored
                then cast(greatest({{ elapsed_days('clock_date', 'first_value_at') }}, 0) as bigint)
        end as ttfv_days,
        is_censored,
        case
            when is_censored
                then cast({{ elapsed_days('clock_date', 'followed_until') }} as bigint)
            when not is_censored
                then cast(greatest({{ elapsed_days('clock_date', 'first_value_at') }}, 0) as bigint)
        end as followed_days,
        cast(training_count as bigint) as training_count,
        {{ divide('users_before', 'training_count', 'double') }} as users_28d_before_training,
        {{ divide('users_after', 'training_count', 'double') }} as users_28d_after_training
    from joined
)

select * from activations
