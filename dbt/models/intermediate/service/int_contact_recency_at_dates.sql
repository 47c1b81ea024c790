with

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

interactions as (
    select * from {{ ref('stg_crm__interactions') }}
),

messages as (
    select * from {{ ref('stg_crm__messages') }}
),

tickets as (
    select * from {{ ref('stg_crm__tickets') }}
),

surveys as (
    select * from {{ ref('stg_crm__surveys') }}
),

-- An interaction without a direction is one of ours: we wrote it down. A mass mailing is contact
-- for those only who are served one to many.
interaction_contacts as (
    select
        customer_id,
        {{ company_date('occurred_at') }} as contact_date,
        case
            when direction = 'inbound' then 'theirs'
            when mode = 'one_to_many' then 'ours_to_many'
            else 'ours'
        end as side,
        kind = 'renewal_talk' as is_renewal_talk,
        known_from,
        known_to
    from interactions
),

-- What nobody of ours wrote is an automatic answer.
message_contacts as (
    select
        customer_id,
        {{ company_date('sent_at') }} as contact_date,
        case when is_from_customer then 'theirs' else 'ours' end as side,
        false as is_renewal_talk,
        known_from,
        known_to
    from messages
    where is_from_customer or employee_id is not null
),

ticket_contacts as (
    select
        customer_id,
        {{ company_date('opened_at') }} as contact_date,
        'theirs' as side,
        false as is_renewal_talk,
        known_from,
        known_to
    from tickets
),

survey_contacts as (
    select
        customer_id,
        {{ company_date('responded_at') }} as contact_date,
        'theirs' as side,
        false as is_renewal_talk,
        known_from,
        known_to
    from surveys
    where responded_at is not null
),

all_contacts as (
    select * from interaction_contacts
    union all
    select * from message_contacts
    union all
    select * from ticket_contacts
    union all
    select * from survey_contacts
),

seen as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        all_contacts.contact_date,
        all_contacts.side,
        all_contacts.is_renewal_talk
    from all_contacts
    inner join customers_resolved on all_contacts.customer_id = customers_resolved.customer_id
    inner join signal_dates
        on
            all_contacts.contact_date <= signal_dates.as_of_date
            and {{ is_known_at('all_contacts', 'signal_dates.known_until') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

-- Talks about the coming renewal: within the window in which its successor may be closed.
recency as (
    select
        seen.customer_id,
        seen.as_of_date,
        seen.known_on,
        max(case when seen.side = 'ours' then seen.contact_date end) as last_our_contact_date,
        max(case when seen.side in ('ours', 'ours_to_many') then seen.contact_date end)
            as last_our_contact_or_mailing_date,
        max(case when seen.side = 'theirs' then seen.contact_date end) as last_their_contact_date,
        min(
            case
                when
                    seen.is_renewal_talk
                    and seen.contact_date >= {{ dbt.dateadd(
                        'day', -1 * var('successor_window_days'),
                        'money_at_dates.next_renewal_date') }}
                    then seen.contact_date
            end
        ) as renewal_talk_started_date
    from seen
    left join money_at_dates
        on
            seen.customer_id = money_at_dates.customer_id
            and seen.as_of_date = money_at_dates.as_of_date
            and seen.known_on = money_at_dates.known_on
    group by seen.customer_id, seen.as_of_date, seen.known_on
)

select * from recency
