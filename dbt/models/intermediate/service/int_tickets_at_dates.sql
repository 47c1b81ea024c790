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
seen as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        {{ company_date('tickets.opened_at') }} as opened_date,
        coalesce({{ company_date('tickets.resolved_at') }} <= signal_dates.as_of_date, false)
        or coalesce({{ company_date('tickets.vanished_at') }} <= signal_dates.as_of_date, false)
            as is_closed,
        coalesce({{ company_date('tickets.first_response_at') }} <= signal_dates.as_of_date, false)
            as is_answered,
        coalesce({{ company_date('tickets.resolved_at') }}, {{ company_date('tickets.landed_at') }})
            as marked_date,
        tickets.satisfaction_score
    from tickets
    inner join customers_resolved on tickets.customer_id = customers_resolved.customer_id
    inner join signal_dates
        on
            {{ company_date('tickets.opened_at') }} <= signal_dates.as_of_date
            and {{ is_known_at('tickets', 'signal_dates.known_until') }}
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
