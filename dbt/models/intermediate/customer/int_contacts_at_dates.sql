with

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

contacts as (
    select * from {{ ref('stg_crm__contacts') }}
),

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

known_contacts as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        contacts.contact_id,
        contacts.name,
        contacts.is_primary,
        contacts.is_champion,
        coalesce(contacts.left_on <= signal_dates.as_of_date, false) as has_left,
        signal_dates.as_of_date,
        signal_dates.known_on
    from contacts
    inner join customers_resolved on contacts.customer_id = customers_resolved.customer_id
    inner join signal_dates
        on
            {{ is_described_at('contacts', 'signal_dates.known_until') }}
            and {{ is_there_at('contacts', 'signal_dates.known_until') }}
),

counted as (
    select
        customer_id,
        as_of_date,
        known_on,
        sum(case when not has_left then 1 else 0 end) as contact_count,
        min(case when is_primary and not has_left then contact_id end) as primary_contact_id,
        sum(case when is_champion and has_left then 1 else 0 end) as champions_gone_count,
        sum(case when is_champion and not has_left then 1 else 0 end) as champions_there_count
    from known_contacts
    group by customer_id, as_of_date, known_on
),

-- A champion who left counts as long as nobody speaks for us in his place.
contacts_at_dates as (
    select
        counted.customer_id,
        counted.as_of_date,
        counted.known_on,
        cast(counted.contact_count as bigint) as contact_count,
        primary_contacts.name as primary_contact_name,
        case
            when counted.champions_there_count > 0 then false
            when counted.champions_gone_count > 0 then true
        end as has_champion_left
    from counted
    left join known_contacts as primary_contacts
        on
            counted.primary_contact_id = primary_contacts.contact_id
            and counted.as_of_date = primary_contacts.as_of_date
            and counted.known_on = primary_contacts.known_on
            and counted.customer_id = primary_contacts.customer_id
)

select * from contacts_at_dates
