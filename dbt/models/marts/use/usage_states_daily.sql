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

-- Working days are numbered, so that those between two days are a difference.
calendar as (
    select
        calendar_date,
        is_working_day,
        cast(
            sum(case when is_working_day then 1 else 0 end) over (order by calendar_date) as integer
        ) as working_day_no
    from {{ ref('calendar') }}
),

arr_changes as (
    select * from {{ ref('int_customers_arr_changed') }}
),

segment_days as (
    {{ days_in_segments() }}
),

-- Days of an outage do not count as quiet: nobody is called dormant for a feed.
frozen_working_days as (
    select
        outage_days.customer_id,
        outage_days.outage_date as valid_from,
        lead(outage_days.outage_date, 1, {{ far_future() }}) over following as valid_to,
        cast(
            sum(case when calendar.is_working_day then 1 else 0 end) over following as integer
        ) as working_days
    from outage_days
    inner join calendar on outage_days.outage_date = calendar.calendar_date
    window following as (partition by outage_days.customer_id order by outage_days.outage_date)
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
        coalesce(usage_days.event_count, 0) > 0 as is_used,
        status_periods.status,
        segment_days.segment,
        onboarding_rounds.clock_date,
        frozen_working_days.valid_from is not null
        and usage_days.activity_date = frozen_working_days.valid_from as is_frozen,
        calendar.is_working_day,
        calendar.working_day_no - coalesce(frozen_working_days.working_days, 0) as working_day_no,
        coalesce(customer_weeks.is_declining, false) as is_declining,
        {{ usage_level_ratio(
            'customer_weeks', 'usage_days.seats_bought', 'segment_days.segment'
        ) }} as usage_level_ratio
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
    left join frozen_working_days
        on
            usage_days.customer_id = frozen_working_days.customer_id
            and frozen_working_days.valid_from <= usage_days.activity_date
            and usage_days.activity_date < frozen_working_days.valid_to
    left join customer_weeks
        on
            usage_days.customer_id = customer_weeks.customer_id
            and customer_weeks.week_start = {{ last_whole_week('usage_days.activity_date') }}
),

{%- set to_date %}
    partition by customer_id
    order by state_date
    rows between unbounded preceding and
{%- endset %}

used as (
    select
        *,
        row_number() over (partition by customer_id order by state_date) as day_no,
        {{ last_known('case when is_used then state_date end') }}
            over ({{ to_date }} current row) as last_use_date,
        {{ last_known('case when is_used then working_day_no end') }}
            over ({{ to_date }} current row) as used_working_day_no,
        {{ last_known('case when is_used then working_day_no end') }}
            over ({{ to_date }} 1 preceding) as used_before_working_day_no
    from described
),

{%- set is_return %}
    is_used
    and working_day_no - used_before_working_day_no
    - case when is_working_day and not is_frozen then 1 else 0 end
    >= {{ state_threshold('silent_working_days') }}
{%- endset %}

-- Who comes back has used again after as many working days as make a customer silent.
returned as (
    select
        *,
        working_day_no - used_working_day_no as quiet_working_days,
        {{ last_known('case when ' ~ is_return ~ ' then state_date end') }}
            over ({{ to_date }} current row) as last_return_date
    from used
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
    from returned
),

{%- set lived = 'partition by customer_id, is_frozen order by state_date' %}

-- A state holds once it was seen on two days running that are not frozen; the first four at once.
confirmed as (
    select
        *,
        case
            when day_no = 1 then raw_state
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
        {{ last_known('confirmed_state') }} over ({{ to_date }} current row) as state,
        {{ last_known('confirmed_state') }} over ({{ to_date }} 1 preceding) as previous_state
    from confirmed
),

{%- set is_change = 'previous_state is null or state <> previous_state' %}

stays as (
    select
        *,
        {{ last_known('case when ' ~ is_change ~ ' then state_date end') }}
            over ({{ to_date }} current row) as state_since
    from held
),

-- A term without a rate leaves the whole unknown.
arr_levels as (
    select
        customer_id,
        change_date as valid_from,
        lead(change_date, 1, {{ far_future() }}) over following as valid_to,
        case
            when sum(term_change) over following = sum(valued_term_change) over following
                then sum(arr_change) over following
        end as arr
    from arr_changes
    window following as (partition by customer_id order by change_date)
),

usage_states as (
    select
        stays.customer_id,
        stays.state_date,
        stays.state,
        stays.raw_state,
        stays.status,
        stays.state_since,
        cast({{ dbt.datediff('stays.state_since', 'stays.state_date', 'day') }} + 1 as bigint)
            as days_in_state,
        stays.is_frozen,
        stays.last_use_date,
        cast(stays.quiet_working_days as bigint) as quiet_working_days,
        stays.usage_level_ratio,
        case when arr_levels.customer_id is null then 0 else arr_levels.arr end as arr
    from stays
    left join arr_levels
        on
            stays.customer_id = arr_levels.customer_id
            and arr_levels.valid_from <= stays.state_date
            and stays.state_date < arr_levels.valid_to
)

select * from usage_states
