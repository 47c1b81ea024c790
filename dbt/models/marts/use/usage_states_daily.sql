with

usage_days as (
    select * from {{ ref('customer_usage_daily') }}
),

status_periods as (
    select * from {{ ref('int_customers_status_periods') }}
),

onboarding_clocks as (
    select * from {{ ref('int_onboarding_clocks') }}
),

customer_weeks as (
    select * from {{ ref('int_customer_weeks_leveled') }}
),

outage_days as (
    select * from {{ ref('int_customer_outage_days') }}
    where judged_by = 'tonight'
),

calendar as (
    select * from {{ ref('calendar') }}
),

arr_changes as (
    select * from {{ ref('int_customers_arr_changed') }}
),

segment_days as (
    {{ days_in_segments() }}
),

-- A round that has begun is one that has no 90 days behind it: the clock may start weeks later.
onboarding_rounds as (
    select
        customer_id,
        round_start_date,
        max(clock_date) as clock_date,
        lead(round_start_date) over (partition by customer_id order by round_start_date)
            as next_round_start_date
    from onboarding_clocks
    group by customer_id, round_start_date
),

described as (
    select
        usage_days.customer_id,
        usage_days.activity_date as state_date,
        usage_days.is_measured,
        usage_days.seats_bought,
        coalesce(usage_days.event_count, 0) > 0 as is_used,
        status_periods.status,
        segment_days.segment,
        onboarding_rounds.clock_date,
        outage_days.customer_id is not null as is_frozen,
        {{ last_whole_week('usage_days.activity_date') }} as last_week_start,
        sum(case when calendar.is_working_day and outage_days.customer_id is null then 1 else 0 end)
            over to_date as working_day_no,
        -- A term without a rate leaves the whole unknown.
        case
            when
                coalesce(sum(arr_changes.term_change) over to_date, 0)
                = coalesce(sum(arr_changes.valued_term_change) over to_date, 0)
                then coalesce(sum(arr_changes.arr_change) over to_date, 0)
        end as arr
    from usage_days
    inner join calendar on usage_days.activity_date = calendar.calendar_date
    left join status_periods
        on
            usage_days.customer_id = status_periods.customer_id
            and status_periods.valid_from <= usage_days.activity_date
            and (
                status_periods.valid_to is null
                or usage_days.activity_date < status_periods.valid_to
            )
    left join segment_days
        on
            usage_days.customer_id = segment_days.customer_id
            and segment_days.valid_from <= usage_days.activity_date
            and usage_days.activity_date < segment_days.valid_to
    left join onboarding_rounds
        on
            usage_days.customer_id = onboarding_rounds.customer_id
            and onboarding_rounds.round_start_date <= usage_days.activity_date
            and (
                onboarding_rounds.next_round_start_date is null
                or usage_days.activity_date < onboarding_rounds.next_round_start_date
            )
    left join outage_days
        on
            usage_days.customer_id = outage_days.customer_id
            and usage_days.activity_date = outage_days.outage_date
    left join arr_changes
        on
            usage_days.customer_id = arr_changes.customer_id
            and usage_days.activity_date = arr_changes.change_date
    window
        to_date as (
            partition by usage_days.customer_id
            order by usage_days.activity_date
            rows between unbounded preceding and current row
        )
),

-- Working days without use, days of an outage left out: nobody is called dormant for a feed.
quiet as (
    select
        *,
        max(case when is_used then state_date end) over to_date as last_use_date,
        working_day_no - max(case when is_used then working_day_no end) over to_date
            as quiet_working_days
    from described
    window
        to_date as (
            partition by customer_id
            order by state_date
            rows between unbounded preceding and current row
        )
),

returned as (
    select
        *,
        case
            when
                is_used
                and lag(quiet_working_days) over (partition by customer_id order by state_date)
                >= {{ state_threshold('silent_working_days') }}
                then state_date
        end as return_date
    from quiet
),

numbered_weeks as (
    select
        customer_id,
        week_start,
        is_declining,
        level_user_count,
        best_user_count,
        lead(week_start) over (partition by customer_id order by week_start) as next_week_start
    from customer_weeks
),

leveled as (
    select
        returned.*,
        max(returned.return_date) over (
            partition by returned.customer_id
            order by returned.state_date
            rows between unbounded preceding and current row
        ) as last_return_date,
        coalesce(numbered_weeks.is_declining, false) as is_declining,
        {{ divide('numbered_weeks.level_user_count', usual_user_count(
            'returned.seats_bought', 'numbered_weeks.best_user_count', 'returned.segment'
        ), 'double') }} as usage_level_ratio
    from returned
    left join numbered_weeks
        on
            returned.customer_id = numbered_weeks.customer_id
            and numbered_weeks.week_start <= returned.last_week_start
            and (
                numbered_weeks.next_week_start is null
                or returned.last_week_start < numbered_weeks.next_week_start
            )
),

raw_states as (
    select
        *,
        case
            when status is null or status in ('prospect', 'signed', 'churned') then 'not_customer'
            when status = 'trial' then 'trial'
            when not is_measured then 'unmeasured'
            when last_use_date is null then 'not_started'
            when quiet_working_days >= {{ state_threshold('silent_working_days') }} then 'silent'
            when quiet_working_days >= {{ state_threshold('dormant_working_days') }} then 'dormant'
            when
                state_date < {{ plus_days(
                    'last_return_date', state_threshold('resurrected_days')
                ) }} then 'resurrected'
            when
                state_date < {{ plus_days('clock_date', state_threshold('onboarding_days')) }}
                then 'onboarding'
            when is_declining then 'declining'
            when usage_level_ratio < {{ state_threshold('low_below') }} then 'low'
            when usage_level_ratio >= {{ state_threshold('high_from') }} then 'high'
            else 'normal'
        end as raw_state
    from leveled
),

{%- set lived = 'partition by customer_id, is_frozen order by state_date' %}

-- A state holds once it was seen on two days running that are not frozen; the first four at once.
confirmed as (
    select
        *,
        case
            when row_number() over (partition by customer_id order by state_date) = 1
                then raw_state
            when is_frozen then null
            when raw_state in ('not_customer', 'trial', 'unmeasured', 'not_started')
                then raw_state
            when {{ is_confirmed('raw_state', lived) }} then raw_state
        end as confirmed_state
    from raw_states
),

held as (
    select
        *,
        {{ last_known('confirmed_state') }} over (
            partition by customer_id
            order by state_date
            rows between unbounded preceding and current row
        ) as state
    from confirmed
),

changed as (
    select
        *,
        case
            when lag(state) over (partition by customer_id order by state_date) = state then 0
            else 1
        end as is_change
    from held
),

stays as (
    select
        *,
        max(case when is_change = 1 then state_date end) over (
            partition by customer_id
            order by state_date
            rows between unbounded preceding and current row
        ) as state_since
    from changed
),

usage_states as (
    select
        customer_id,
        state_date,
        state,
        raw_state,
        status,
        state_since,
        cast({{ dbt.datediff('state_since', 'state_date', 'day') }} + 1 as bigint) as days_in_state,
        is_frozen,
        last_use_date,
        cast(quiet_working_days as bigint) as quiet_working_days,
        usage_level_ratio,
        arr
    from stays
)

select * from usage_states
