with

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

use_at_dates as (
    select * from {{ ref('int_customers_use_at_dates') }}
),

service_at_dates as (
    select * from {{ ref('int_customers_service_at_dates') }}
),

customers_described as (
    select * from {{ ref('int_customers_described') }}
),

groups_fresh as (
    select * from {{ ref('int_groups_fresh_at_dates') }}
),

usage_states as (
    select * from {{ ref('usage_states_daily') }}
),

usage_transitions as (
    select * from {{ ref('usage_transitions') }}
),

services as (
    select * from {{ ref('service_status') }}
    where days_to_exhaustion is not null and state = 'active'
),

renewals as (
    select * from {{ ref('renewals') }}
    where outcome = 'open'
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

-- Customers at a date: whoever had a term, an order or use by then.
present as (
    select
        customer_id,
        as_of_date,
        known_on
    from money_at_dates
    union
    select
        customer_id,
        as_of_date,
        known_on
    from use_at_dates
    where has_use_ever
),

-- States are said for tonight and last night only: they are made from what is known tonight.
states as (
    select
        usage_states.customer_id,
        usage_states.state_date as as_of_date,
        usage_states.state,
        usage_states.state_since,
        usage_states.is_frozen
    from usage_states
    cross join night
    where usage_states.state_date in (night.as_of_date, night.previous_night)
),

states_before as (
    select
        states.customer_id,
        states.as_of_date,
        max_by(usage_transitions.from_state, usage_transitions.transition_date) as state_before
    from states
    inner join usage_transitions
        on
            states.customer_id = usage_transitions.customer_id
            and usage_transitions.transition_date <= states.as_of_date
    group by states.customer_id, states.as_of_date
),

-- Quotas are counted as known tonight, so they are said for tonight only.
exhaustions as (
    select
        services.customer_id,
        night.as_of_date,
        cast(floor(min(services.days_to_exhaustion)) as bigint) as days_to_exhaustion
    from services
    cross join night
    group by services.customer_id, night.as_of_date
),

-- What is due, not renewed and not refused, in its grace: judged tonight, so said for tonight only.
-- What is free is nobody's call.
overdue_renewals as (
    select
        renewals.customer_id,
        night.as_of_date,
        min(renewals.due_date) as due_date,
        max(renewals.term_months) as term_months,
        case when count(renewals.due_arr) = count(*) then sum(renewals.due_arr) end as due_arr
    from renewals
    inner join night on renewals.due_date <= night.as_of_date
    where coalesce(renewals.due_arr, 1) > 0
    group by renewals.customer_id, night.as_of_date
),

segments as (
    select
        customers_described.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        customers_described.segment
    from customers_described
    inner join signal_dates
        on {{ is_described_at('customers_described', 'signal_dates.known_until') }}
),

signals as (
    select
        present.customer_id,
        present.as_of_date,
        present.known_on,
        segments.segment,
        service_at_dates.tier,
        case when present.known_on = night.as_of_date then money_at_dates.status end as status,
        service_at_dates.csm_id,
        money_at_dates.tenure_days,
        money_at_dates.mrr,
        money_at_dates.arr,
        money_at_dates.mrr_90d_ago,
        money_at_dates.due_arr_12m,
        money_at_dates.next_renewal_date,
        money_at_dates.days_to_renewal,
        money_at_dates.next_renewal_term_months,
        overdue_renewals.due_date as overdue_renewal_date,
        {{ elapsed_days('overdue_renewals.due_date', 'overdue_renewals.as_of_date') }}
            as overdue_renewal_days,
        cast(floor(overdue_renewals.term_months) as bigint) as overdue_renewal_term_months,
        cast(overdue_renewals.due_arr as decimal(38, 10)) as overdue_renewal_arr,
        money_at_dates.last_outcome,
        case when present.known_on = night.as_of_date then states.state end as usage_state,
        case when present.known_on = night.as_of_date then states_before.state_before end
            as usage_state_before,
        case when present.known_on = night.as_of_date then states.state_since end
            as usage_state_since,
        case when present.known_on = night.as_of_date then states.is_frozen end as is_usage_frozen,
        use_at_dates.days_since_last_use,
        use_at_dates.active_user_count_7d,
        use_at_dates.active_user_count_28d,
        use_at_dates.active_user_count_28d_before,
        use_at_dates.usage_level_ratio,
        use_at_dates.login_trend_slope,
        {{ divide('use_at_dates.active_user_count_28d', 'money_at_dates.seats_bought', 'double') }}
            as login_ratio,
        money_at_dates.seats_bought,
        use_at_dates.core_breadth_ratio,
        use_at_dates.core_depth_per_week,
        use_at_dates.is_used_without_value,
        use_at_dates.value_week_count_28d,
        use_at_dates.has_use_ever,
        use_at_dates.days_without_first_use,
        service_at_dates.onboarding_status,
        service_at_dates.onboarding_days,
        service_at_dates.onboarding_on_time_ratio,
        service_at_dates.days_since_our_contact,
        service_at_dates.days_since_their_contact,
        service_at_dates.plan_days,
        {{ divide(
            'least(service_at_dates.days_since_our_contact,'
            ' service_at_dates.days_since_their_contact)',
            'service_at_dates.plan_days',
            'double'
        ) }} as contact_age_ratio,
        service_at_dates.has_champion_left,
        service_at_dates.has_owner,
        service_at_dates.renewal_talk_started_date,
        service_at_dates.open_ticket_count,
        service_at_dates.unanswered_ticket_count,
        service_at_dates.oldest_unanswered_days,
        service_at_dates.ticket_count_90d,
        service_at_dates.ticket_csat_180d,
        service_at_dates.nps_score,
        service_at_dates.csat_score,
        service_at_dates.survey_age_days,
        service_at_dates.csm_view,
        money_at_dates.overdue_amount,
        money_at_dates.overdue_days,
        {{ divide('money_at_dates.mrr', 'money_at_dates.mrr_90d_ago', 'double') }}
            as mrr_change_ratio_90d,
        exhaustions.days_to_exhaustion,
        groups_fresh.usage_stale_days,
        groups_fresh.crm_stale_days,
        groups_fresh.orders_stale_days
    from present
    cross join night
    left join money_at_dates
        on
            present.customer_id = money_at_dates.customer_id
            and present.as_of_date = money_at_dates.as_of_date
            and present.known_on = money_at_dates.known_on
    left join use_at_dates
        on
            present.customer_id = use_at_dates.customer_id
            and present.as_of_date = use_at_dates.as_of_date
            and present.known_on = use_at_dates.known_on
    left join service_at_dates
        on
            present.customer_id = service_at_dates.customer_id
            and present.as_of_date = service_at_dates.as_of_date
            and present.known_on = service_at_dates.known_on
    left join segments
        on
            present.customer_id = segments.customer_id
            and present.as_of_date = segments.as_of_date
            and present.known_on = segments.known_on
    left join exhaustions
        on
            present.customer_id = exhaustions.customer_id
            and present.as_of_date = exhaustions.as_of_date
    left join overdue_renewals
        on
            present.customer_id = overdue_renewals.customer_id
            and present.as_of_date = overdue_renewals.as_of_date
    left join groups_fresh
        on
            present.as_of_date = groups_fresh.as_of_date
            and present.known_on = groups_fresh.known_on
    left join states
        on
            present.customer_id = states.customer_id
            and present.as_of_date = states.as_of_date
    left join states_before
        on
            present.customer_id = states_before.customer_id
            and present.as_of_date = states_before.as_of_date
)

select * from signals
