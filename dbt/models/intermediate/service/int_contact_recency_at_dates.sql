with

contacts_made as (
    select * from {{ ref('int_contacts_made') }}
),

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

contacts_kinded as (
    select
        *,
        coalesce(kind = 'renewal_talk', false) as is_renewal_talk
    from contacts_made
),

-- A later contact hides the ones before it from the day it is known, if it is known for good:
-- without this every contact would be looked at on every date after it.
contacts_hidden as (
    select
        *,
        case
            when not is_renewal_talk
                then min(
                    case
                        when known_to is null
                            then greatest(contact_date, {{ company_date('known_from') }})
                    end
                ) over (
                    partition by customer_id, side
                    order by contact_date, source_entity, source_key, known_from
                    rows between 1 following and unbounded following
                )
        end as hidden_from
    from contacts_kinded
),

seen as (
    select
        contacts.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        contacts.contact_date,
        contacts.side,
        contacts.is_renewal_talk
    from contacts_hidden as contacts
    inner join signal_dates
        on
            contacts.contact_date <= signal_dates.as_of_date
            and signal_dates.as_of_date < coalesce(contacts.hidden_from, cast('9999-12-31' as date))
            and {{ is_known_at('contacts', 'signal_dates.known_until') }}
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
