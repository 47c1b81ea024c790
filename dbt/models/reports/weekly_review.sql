with

service_at_dates as (
    select * from {{ ref('int_customers_service_at_dates') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

contacts_made as (
    select * from {{ ref('int_contacts_made') }}
    where known_to is null
),

usage_days as (
    select * from {{ ref('customer_usage_daily') }}
),

usage_states as (
    select * from {{ ref('usage_states_daily') }}
),

entities_connected as (
    select * from {{ ref('int_entities_connected') }}
),

health_scores as (
    select * from {{ ref('health_scores') }}
),

churn_warnings as (
    select * from {{ ref('churn_warnings') }}
    where status in ('opened', 'ongoing')
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

connected as (
    select
        max(case when entity in ('interactions', 'messages') then 1 else 0 end) = 1
            as has_contacts,
        max(case when entity = 'tickets' then 1 else 0 end) = 1 as has_tickets
    from entities_connected
),

last_week as (
    select {{ last_whole_week('as_of_date') }} as week_start
    from night
),

-- Who paid and who cared is told as it was known at the end of the week.
customer_weeks as (
    select
        service_at_dates.customer_id,
        {{ add_days(-6, 'service_at_dates.as_of_date') }} as week_start,
        service_at_dates.as_of_date as week_end,
        {{ add_days(-7, 'service_at_dates.as_of_date') }} as week_end_before,
        service_at_dates.csm_id
    from service_at_dates
    inner join money_at_dates
        on
            service_at_dates.customer_id = money_at_dates.customer_id
            and service_at_dates.as_of_date = money_at_dates.as_of_date
            and service_at_dates.known_on = money_at_dates.known_on
    cross join last_week
    where
        money_at_dates.mrr > 0
        and service_at_dates.known_on = service_at_dates.as_of_date
        and {{ is_week_end('service_at_dates.as_of_date') }}
        and service_at_dates.as_of_date
        > {{ add_days(6 - 7 * var('review_weeks'), 'last_week.week_start') }}
),

contacts_counted as (
    select
        customer_weeks.customer_id,
        customer_weeks.week_start,
        {{ count_when(
            "contacts_made.source_entity in ('interactions', 'messages')"
            " and contacts_made.side != 'ours_to_many'"
        ) }} as contact_count,
        {{ count_when("contacts_made.source_entity = 'tickets'") }} as ticket_count,
        {{ joined_texts(
            'contacts_made.note',
            "' | '",
            'order by contacts_made.contacted_at, contacts_made.note'
        ) }} as notes
    from customer_weeks
    inner join contacts_made
        on
            customer_weeks.customer_id = contacts_made.customer_id
            and contacts_made.contact_date
            between customer_weeks.week_start and customer_weeks.week_end
    group by customer_weeks.customer_id, customer_weeks.week_start
),

warnings_placed as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by case when kind = 'risk' then 1 else 2 end, rank nulls last, warning_id
        ) as place
    from churn_warnings
),

weekly_review as (
    select
        customer_weeks.customer_id,
        customer_weeks.week_start,
        customer_weeks.csm_id,
        case
            when connected.has_contacts
                then cast(coalesce(contacts_counted.contact_count, 0) as bigint)
        end as contact_count,
        contacts_counted.notes,
        case
            when connected.has_tickets
                then cast(coalesce(contacts_counted.ticket_count, 0) as bigint)
        end as ticket_count,
        usage_days.active_user_count_7d as active_user_count,
        usage_days_before.active_user_count_7d as active_user_count_before,
        usage_states.state,
        usage_states_before.state as state_before,
        case
            when customer_weeks.week_start = last_week.week_start then health_scores.trend_sentence
        end as score_change_sentence,
        case
            when customer_weeks.week_start = last_week.week_start
                then
                    warnings_placed.playbook
                    || coalesce(' by ' || cast(warnings_placed.due_date as varchar), '')
        end as next_action
    from customer_weeks
    cross join connected
    cross join last_week
    left join contacts_counted
        on
            customer_weeks.customer_id = contacts_counted.customer_id
            and customer_weeks.week_start = contacts_counted.week_start
    left join usage_days
        on
            customer_weeks.customer_id = usage_days.customer_id
            and customer_weeks.week_end = usage_days.activity_date
    left join usage_days as usage_days_before
        on
            customer_weeks.customer_id = usage_days_before.customer_id
            and customer_weeks.week_end_before = usage_days_before.activity_date
    left join usage_states
        on
            customer_weeks.customer_id = usage_states.customer_id
            and customer_weeks.week_end = usage_states.state_date
    left join usage_states as usage_states_before
        on
            customer_weeks.customer_id = usage_states_before.customer_id
            and customer_weeks.week_end_before = usage_states_before.state_date
    left join health_scores on customer_weeks.customer_id = health_scores.customer_id
    left join warnings_placed
        on customer_weeks.customer_id = warnings_placed.customer_id and warnings_placed.place = 1
)

select * from weekly_review
