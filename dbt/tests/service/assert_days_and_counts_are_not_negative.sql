-- Contact, tickets or onboarding that would lie in the future of the date looked from.
select *
from {{ ref('int_customers_service_at_dates') }}
where
    days_since_our_contact < 0
    or days_since_their_contact < 0
    or onboarding_days < 0
    or oldest_unanswered_days < 0
    or unanswered_ticket_count > open_ticket_count
    or onboarding_on_time_ratio not between 0 and 1
