with

tickets as (
    {{ current_rows(ref('stg_crm__tickets')) }}
),

messages as (
    {{ current_rows(ref('stg_crm__messages')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

calendar as (
    select * from {{ ref('calendar') }}
),

workdays as (
    select
        calendar_date,
        is_working_day,
        sum(case when is_working_day then 1 else 0 end) over (order by calendar_date)
        - case when is_working_day then 1 else 0 end as working_days_before
    from calendar
),

ticket_requests as (
    select
        tickets.customer_id,
        tickets.kind,
        tickets.opened_at,
        case when tickets.first_response_at <= night.as_of_end then tickets.first_response_at end
            as answered_at,
        case when tickets.resolved_at <= night.as_of_end then tickets.resolved_at end
            as resolved_at,
        coalesce(tickets.resolved_at <= night.as_of_end, false)
        or coalesce(tickets.vanished_at <= night.as_of_end, false) as is_closed,
        coalesce(tickets.reopened_count, 0) > 0 as is_reopened,
        tickets.satisfaction_score,
        tickets.responder_id
    from tickets
    inner join night on tickets.opened_at <= night.as_of_end
),

-- Automatic answers are none; messages of the customer in a row wait for one answer.
messages_placed as (
    select
        messages.*,
        case
            when
                messages.is_from_customer
                and not coalesce(
                    lag(messages.is_from_customer) over (
                        partition by messages.customer_id
                        order by messages.sent_at, messages.message_id
                    ),
                    false
                )
                then 1
            else 0
        end as begins
    from messages
    inner join night on messages.sent_at <= night.as_of_end
    where messages.is_from_customer or messages.employee_id is not null
),

messages_numbered as (
    select
        *,
        sum(begins) over (
            partition by customer_id
            order by sent_at, message_id
            rows between unbounded preceding and current row
        ) as talk_no
    from messages_placed
),

message_requests as (
    select
        customer_id,
        'message' as kind,
        min(case when is_from_customer then sent_at end) as opened_at,
        min(case when not is_from_customer then sent_at end) as answered_at,
        cast(null as timestamptz) as resolved_at,
        cast(null as boolean) as is_closed,
        cast(null as boolean) as is_reopened,
        cast(null as decimal(20, 6)) as satisfaction_score,
        min_by(
            case when not is_from_customer then employee_id end,
            case when not is_from_customer then sent_at end
        ) as responder_id
    from messages_numbered
    where talk_no > 0
    group by customer_id, talk_no
),

requests as (
    select * from ticket_requests
    union all
    select * from message_requests
),

requests_timed as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        {{ month_start(company_date('requests.opened_at')) }} as month_start,
        requests.kind as ticket_kind,
        requests.answered_at,
        requests.resolved_at,
        requests.is_closed,
        requests.is_reopened,
        requests.satisfaction_score,
        requests.responder_id,
        {{ support_seconds('requests.answered_at', 'answer_days') }} as first_response_seconds,
        {{ support_seconds('requests.resolved_at', 'resolution_days') }} as resolution_seconds
    from requests
    inner join customers_resolved on requests.customer_id = customers_resolved.customer_id
    left join workdays as opening_days
        on {{ company_date('requests.opened_at') }} = opening_days.calendar_date
    left join workdays as answer_days
        on {{ company_date('requests.answered_at') }} = answer_days.calendar_date
    left join workdays as resolution_days
        on {{ company_date('requests.resolved_at') }} = resolution_days.calendar_date
),

responders as (
    select
        customer_id,
        month_start,
        ticket_kind,
        responder_id,
        count(*) as request_count
    from requests_timed
    where responder_id is not null
    group by customer_id, month_start, ticket_kind, responder_id
),

top_responders as (
    select
        customer_id,
        month_start,
        ticket_kind,
        sum(request_count) as responded_count,
        max(request_count) as top_responder_count
    from responders
    group by customer_id, month_start, ticket_kind
),

counted as (
    select
        customer_id,
        month_start,
        ticket_kind,
        count(*) as opened_count,
        case when count(is_closed) > 0 then count(resolved_at) end as resolved_count,
        count(first_response_seconds) as answered_count,
        {{ percentile('first_response_seconds / 3600.0', 0.5) }} as first_response_hours_p50,
        {{ percentile('first_response_seconds / 3600.0', 0.9) }} as first_response_hours_p90,
        {{ percentile('resolution_seconds / 3600.0', 0.5) }} as resolution_hours_p50,
        {{ percentile('resolution_seconds / 3600.0', 0.9) }} as resolution_hours_p90,
        {{ count_when('answered_at is null and not coalesce(is_closed, false)') }}
            as unanswered_count,
        case when count(is_reopened) > 0 then {{ count_when('is_reopened') }} end
            as reopened_count,
        count(satisfaction_score) as csat_count,
        {{ divide(count_when('satisfaction_score >= 4'), 'count(satisfaction_score)', 'double') }}
            as csat
    from requests_timed
    group by customer_id, month_start, ticket_kind
),

support_monthly as (
    select
        counted.customer_id,
        counted.month_start,
        counted.ticket_kind,
        cast(counted.opened_count as bigint) as opened_count,
        cast(counted.resolved_count as bigint) as resolved_count,
        cast(counted.answered_count as bigint) as answered_count,
        cast(counted.first_response_hours_p50 as double) as first_response_hours_p50,
        cast(counted.first_response_hours_p90 as double) as first_response_hours_p90,
        cast(counted.resolution_hours_p50 as double) as resolution_hours_p50,
        cast(counted.resolution_hours_p90 as double) as resolution_hours_p90,
        cast(counted.unanswered_count as bigint) as unanswered_count,
        cast(counted.reopened_count as bigint) as reopened_count,
        cast(counted.csat_count as bigint) as csat_count,
        counted.csat,
        cast(coalesce(top_responders.responded_count, 0) as bigint) as responded_count,
        {{ divide(
            'top_responders.top_responder_count', 'top_responders.responded_count', 'double'
        ) }} as top_responder_share
    from counted
    left join top_responders
        on
            counted.customer_id = top_responders.customer_id
            and counted.month_start = top_responders.month_start
            and counted.ticket_kind is not distinct from top_responders.ticket_kind
)

select * from support_monthly
