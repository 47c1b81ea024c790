with

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
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
        'interactions' as source_entity,
        occurred_at as contacted_at,
        case
            when direction = 'inbound' then 'theirs'
            when mode = 'one_to_many' then 'ours_to_many'
            else 'ours'
        end as side,
        mode,
        kind,
        employee_id,
        nullif(trim(summary), '') as note,
        nullif(trim(summary), '') is not null or attachment_uri is not null as has_note,
        known_from,
        known_to
    from interactions
),

-- What nobody of ours wrote is an automatic answer.
message_contacts as (
    select
        customer_id,
        'messages' as source_entity,
        sent_at as contacted_at,
        case when is_from_customer then 'theirs' else 'ours' end as side,
        null as mode,
        null as kind,
        employee_id,
        null as note,
        false as has_note,
        known_from,
        known_to
    from messages
    where is_from_customer or employee_id is not null
),

ticket_contacts as (
    select
        customer_id,
        'tickets' as source_entity,
        opened_at as contacted_at,
        'theirs' as side,
        null as mode,
        null as kind,
        null as employee_id,
        null as note,
        false as has_note,
        known_from,
        known_to
    from tickets
),

survey_contacts as (
    select
        customer_id,
        'surveys' as source_entity,
        responded_at as contacted_at,
        'theirs' as side,
        null as mode,
        null as kind,
        null as employee_id,
        null as note,
        false as has_note,
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

contacts_made as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        all_contacts.source_entity,
        all_contacts.contacted_at,
        {{ company_date('all_contacts.contacted_at') }} as contact_date,
        all_contacts.side,
        all_contacts.mode,
        all_contacts.kind,
        all_contacts.employee_id,
        all_contacts.note,
        all_contacts.has_note,
        all_contacts.known_from,
        all_contacts.known_to
    from all_contacts
    inner join customers_resolved on all_contacts.customer_id = customers_resolved.customer_id
)

select * from contacts_made
