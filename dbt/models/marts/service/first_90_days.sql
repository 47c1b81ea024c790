with

clocks as (
    select
        customer_id,
        min_by(clock_date, round_no) as clock_date
    from {{ ref('int_onboarding_clocks') }}
    group by customer_id
),

usage_days as (
    select * from {{ ref('customer_usage_daily') }}
),

outage_days as (
    select * from {{ ref('int_customer_outage_days') }}
    where judged_by = 'tonight'
),

renewals as (
    select * from {{ ref('renewals') }}
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

week_numbers as (
    {{ numbers_up_to(((var('first_value_days') + 6) // 7) | int) }}
),

weeks as (
    select
        clocks.customer_id,
        clocks.clock_date,
        week_numbers.number as week_number,
        {{ add_days('cast(7 * (week_numbers.number - 1) as integer)', 'clocks.clock_date') }}
            as starts_on,
        {{ add_days('cast(7 * week_numbers.number - 1 as integer)', 'clocks.clock_date') }}
            as ends_on
    from clocks
    cross join week_numbers
),

outage_weeks as (
    select distinct
        weeks.customer_id,
        weeks.week_number
    from weeks
    inner join outage_days
        on
            weeks.customer_id = outage_days.customer_id
            and outage_days.outage_date between weeks.starts_on and weeks.ends_on
),

-- Renewals of monthly terms within these weeks tell nothing of what they led to.
later_renewed as (
    select distinct renewals.customer_id
    from renewals
    inner join clocks on renewals.customer_id = clocks.customer_id
    where
        renewals.successor_term_id is not null
        and renewals.due_date
        > {{ add_days(var('first_value_days'), 'clocks.clock_date') }}
),

-- Weeks into which an outage fell, or in which the feed began, are not measured.
used as (
    select
        weeks.customer_id,
        weeks.week_number,
        weeks.starts_on as week_start,
        case
            when outage_weeks.customer_id is null and measures.measured_from <= weeks.starts_on
                then usage_days.active_user_count_7d
        end as active_user_count,
        later_renewed.customer_id is not null as is_later_renewed
    from weeks
    inner join night on weeks.ends_on <= night.as_of_date
    cross join measures
    left join outage_weeks
        on
            weeks.customer_id = outage_weeks.customer_id
            and weeks.week_number = outage_weeks.week_number
    left join usage_days
        on
            weeks.customer_id = usage_days.customer_id
            and weeks.ends_on = usage_days.activity_date
    left join later_renewed on weeks.customer_id = later_renewed.customer_id
),

-- Among those who renewed later: how many used it less, how many as much.
compared as (
    select
        *,
        case when is_later_renewed then 1 else 0 end as own_count,
        sum(case when is_later_renewed then 1 else 0 end) over (partition by week_number)
            as renewed_count,
        sum(case when is_later_renewed then 1 else 0 end) over (
            partition by week_number
            order by active_user_count
        ) as renewed_up_to_count,
        sum(case when is_later_renewed then 1 else 0 end) over (
            partition by week_number, active_user_count
        ) as renewed_equal_count
    from used
    where active_user_count is not null
),

-- Ties count half; nobody is compared with itself.
ranked as (
    select
        customer_id,
        week_number,
        renewed_count - own_count as renewed_count,
        {{ divide(
            '100 * (renewed_up_to_count - renewed_equal_count'
            ' + 0.5 * (renewed_equal_count - own_count))',
            'renewed_count - own_count',
            'double'
        ) }} as percentile_of_renewed
    from compared
),

first_90_days as (
    select
        used.customer_id,
        used.week_number,
        used.week_start,
        used.active_user_count,
        cast(ranked.renewed_count as bigint) as renewed_count,
        ranked.percentile_of_renewed,
        used.is_later_renewed,
        case
            when count(used.active_user_count) over lately < {{ var('abandoned_weeks') }}
                then case
                    when
                        used.active_user_count > 0
                        or used.week_number < {{ var('abandoned_weeks') }}
                        then false
                end
            else max(used.active_user_count) over lately = 0
        end as is_abandoned
    from used
    left join ranked
        on used.customer_id = ranked.customer_id and used.week_number = ranked.week_number
    window
        lately as (
            partition by used.customer_id
            order by used.week_number
            rows between {{ var('abandoned_weeks') - 1 }} preceding and current row
        )
)

select * from first_90_days
