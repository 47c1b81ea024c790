with

customers_at_dates as (
    select * from {{ ref('int_customers_at_dates') }}
),

ownerships as (
    select * from {{ ref('int_ownerships_at_dates') }}
),

contacts as (
    select * from {{ ref('int_contacts_at_dates') }}
),

recency as (
    select * from {{ ref('int_contact_recency_at_dates') }}
),

tickets as (
    select * from {{ ref('int_tickets_at_dates') }}
),

voices as (
    select * from {{ ref('int_voices_at_dates') }}
),

onboarding as (
    select * from {{ ref('int_onboarding_at_dates') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

tiers as (
    select * from {{ ref('int_tiers') }}
),

entities_connected as (
    select * from {{ ref('int_entities_connected') }}
),

connected as (
    select
        {{ company_date(
            "min(case when entity in ('interactions', 'messages') then connected_from end)"
        ) }} as ours_from,
        {{ company_date("min(connected_from)") }} as theirs_from,
        {{ company_date("min(case when entity = 'tickets' then connected_from end)") }}
            as tickets_from
    from entities_connected
    where entity in ('interactions', 'messages', 'tickets', 'surveys')
),

gathered as (
    select
        customers_at_dates.customer_id,
        customers_at_dates.as_of_date,
        customers_at_dates.known_on,
        tiers.tier,
        tiers.service_mode,
        -- Nobody plans to speak with who has left.
        case when coalesce(money_at_dates.status, '') != 'churned' then tiers.plan_days end
            as plan_days,
        ownerships.csm_id,
        ownerships.csm_since,
        ownerships.sales_id,
        ownerships.has_owner,
        ownerships.has_owner_left,
        contacts.contact_count,
        contacts.primary_contact_name,
        contacts.has_champion_left,
        recency.last_their_contact_date,
        recency.renewal_talk_started_date,
        case
            when tiers.service_mode = 'one_to_many' then recency.last_our_contact_or_mailing_date
            else recency.last_our_contact_date
        end as last_our_contact_date,
        cast({{ dbt.dateadd('day', '-1 * cast(money_at_dates.tenure_days as integer)',
            'customers_at_dates.as_of_date') }} as date) as first_paid_date
    from customers_at_dates
    left join money_at_dates
        on
            customers_at_dates.customer_id = money_at_dates.customer_id
            and customers_at_dates.as_of_date = money_at_dates.as_of_date
            and customers_at_dates.known_on = money_at_dates.known_on
    left join tiers on {{ tier_of('money_at_dates.arr') }} = tiers.tier
    left join ownerships
        on
            customers_at_dates.customer_id = ownerships.customer_id
            and customers_at_dates.as_of_date = ownerships.as_of_date
            and customers_at_dates.known_on = ownerships.known_on
    left join contacts
        on
            customers_at_dates.customer_id = contacts.customer_id
            and customers_at_dates.as_of_date = contacts.as_of_date
            and customers_at_dates.known_on = contacts.known_on
    left join recency
        on
            customers_at_dates.customer_id = recency.customer_id
            and customers_at_dates.as_of_date = recency.as_of_date
            and customers_at_dates.known_on = recency.known_on
),

-- Silence that was never broken is counted from the first paid day, or from the first day anything
-- of the kind was known, whichever is later: so long at least.
aged as (
    select
        gathered.*,
        case
            when gathered.last_our_contact_date is not null then gathered.last_our_contact_date
            when
                connected.ours_from <= gathered.as_of_date and gathered.first_paid_date is not null
                then greatest(gathered.first_paid_date, connected.ours_from)
        end as our_silence_from,
        case
            when gathered.last_their_contact_date is not null then gathered.last_their_contact_date
            when
                connected.theirs_from <= gathered.as_of_date
                and gathered.first_paid_date is not null
                then greatest(gathered.first_paid_date, connected.theirs_from)
        end as their_silence_from,
        coalesce(connected.tickets_from <= gathered.as_of_date, false) as is_tickets_connected
    from gathered
    cross join connected
),

service_at_dates as (
    select
        aged.customer_id,
        aged.as_of_date,
        aged.known_on,
        aged.tier,
        aged.service_mode,
        cast(aged.plan_days as bigint) as plan_days,
        cast({{ dbt.datediff('aged.our_silence_from', 'aged.as_of_date', 'day') }} as bigint)
            as days_since_our_contact,
        cast({{ dbt.datediff('aged.their_silence_from', 'aged.as_of_date', 'day') }} as bigint)
            as days_since_their_contact,
        aged.has_champion_left,
        aged.has_owner,
        aged.has_owner_left,
        aged.csm_id,
        aged.csm_since,
        aged.sales_id,
        aged.contact_count,
        aged.primary_contact_name,
        aged.renewal_talk_started_date,
        case when aged.is_tickets_connected then coalesce(tickets.open_ticket_count, 0) end
            as open_ticket_count,
        case when aged.is_tickets_connected then coalesce(tickets.unanswered_ticket_count, 0) end
            as unanswered_ticket_count,
        tickets.oldest_unanswered_days,
        case when aged.is_tickets_connected then coalesce(tickets.ticket_count_90d, 0) end
            as ticket_count_90d,
        tickets.ticket_csat_180d,
        voices.nps_score,
        voices.csat_score,
        voices.survey_age_days,
        voices.csm_view,
        onboarding.onboarding_status,
        onboarding.onboarding_days,
        onboarding.onboarding_on_time_ratio,
        onboarding.clock_date
    from aged
    left join tickets
        on
            aged.customer_id = tickets.customer_id
            and aged.as_of_date = tickets.as_of_date
            and aged.known_on = tickets.known_on
    left join voices
        on
            aged.customer_id = voices.customer_id
            and aged.as_of_date = voices.as_of_date
            and aged.known_on = voices.known_on
    left join onboarding
        on
            aged.customer_id = onboarding.customer_id
            and aged.as_of_date = onboarding.as_of_date
            and aged.known_on = onboarding.known_on
)

select * from service_at_dates
