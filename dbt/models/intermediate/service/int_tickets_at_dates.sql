with

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

tickets as (
    select * from {{ ref('stg_crm__tickets') }}
),

-- A ticket that vanished is no longer open; a mark counts from the day the ticket was solved.
dated as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        {{ company_date('tickets.opened_at') }} as opened_date,
        {{ company_date('tickets.first_response_at') }} as answered_date,
        least(
            coalesce({{ company_date('tickets.resolved_at') }}, {{ far_future() }}),
            coalesce({{ company_date('tickets.vanished_at') }}, {{ far_future() }})
        ) as closed_date,
        {{ company_date('coalesce(tickets.resolved_at, tickets.landed_at)') }} as marked_date,
        tickets.satisfaction_score,
        tickets.known_from,
        tickets.known_to
    from tickets
    inner join customers_resolved on tickets.customer_id = customers_resolved.customer_id
),

-- One that is closed is looked at for as long as its mark or its number counts.
seen as (
    select
        dated.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        dated.opened_date,
        dated.closed_date <= signal_dates.as_of_date as is_closed,
        coalesce(dated.answered_date <= signal_dates.as_of_date, false) as is_answered,
        dated.marked_date,
        dated.satisfaction_score
    from dated
    inner join signal_dates
        on
            dated.opened_date <= signal_dates.as_of_date
            and {{ is_known_at('dated', 'signal_dates.known_until') }}
            and (
                dated.closed_date > signal_dates.as_of_date
                or {{ elapsed_days(
                    'greatest(dated.opened_date, dated.marked_date)', 'signal_dates.as_of_date'
                ) }} < 180
            )
),

counted as (
    select
        customer_id,
        as_of_date,
        known_on,
        cast(sum(case when not is_closed then 1 else 0 end) as bigint) as open_ticket_count,
        cast(sum(case when not is_closed and not is_answered then 1 else 0 end) as bigint)
            as unanswered_ticket_count,
        cast(
            max(
                case
                    when not is_closed and not is_answered
                        then {{ elapsed_days('opened_date', 'as_of_date') }}
                end
            ) as bigint
        ) as oldest_unanswered_days,
        cast(
            sum(
                case
                    when {{ elapsed_days('opened_date', 'as_of_date') }} < 90 then 1
                    else 0
                end
            ) as bigint
        ) as ticket_count_90d,
        sum(
            case
                when
                    marked_date <= as_of_date
                    and {{ elapsed_days('marked_date', 'as_of_date') }} < 180
                    then satisfaction_score
            end
        ) as mark_sum,
        count(
            case
                when
                    marked_date <= as_of_date
                    and {{ elapsed_days('marked_date', 'as_of_date') }} < 180
                    then satisfaction_score
            end
        ) as mark_count
    from seen
    group by customer_id, as_of_date, known_on
),

tickets_at_dates as (
    select
        customer_id,
        as_of_date,
        known_on,
        open_ticket_count,
        unanswered_ticket_count,
        oldest_unanswered_days,
        ticket_count_90d,
        {{ divide('mark_sum', 'mark_count', 'double') }} as ticket_csat_180d
    from counted
)

select * from tickets_at_dates
