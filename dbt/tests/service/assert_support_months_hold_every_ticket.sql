-- Months of support whose tickets do not add up, or that hold other tickets than were opened.
with

counted as (
    select
        count(*) as opened_count,
        count(case when resolved_at <= {{ as_of_end() }} then 1 end) as resolved_count
    from {{ ref('stg_crm__tickets') }}
    where
        known_to is null
        and opened_at <= {{ as_of_end() }}
        and customer_id in (select customer_id from {{ ref('int_customers_resolved') }})
),

told as (
    select
        coalesce(sum(opened_count), 0) as opened_count,
        coalesce(sum(resolved_count), 0) as resolved_count,
        coalesce(
            max(
                case
                    when answered_count + unanswered_count > opened_count then 1
                    when top_responder_share not between 0 and 1 then 1
                    when csat not between 0 and 1 then 1
                    else 0
                end
            ),
            0
        ) as is_odd
    from {{ ref('support_monthly') }}
    where ticket_kind is null or ticket_kind != 'message'
)

select
    counted.opened_count,
    told.opened_count as told_opened_count,
    counted.resolved_count,
    told.resolved_count as told_resolved_count
from counted
cross join told
where
    counted.opened_count != told.opened_count
    or counted.resolved_count != told.resolved_count
    or told.is_odd = 1
