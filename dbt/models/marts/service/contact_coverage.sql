with

service_at_dates as (
    select * from {{ ref('int_customers_service_at_dates') }}
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

contacts_made as (
    select * from {{ ref('int_contacts_made') }}
    where known_to is null
),

csm_assessments as (
    {{ current_rows(ref('stg_crm__csm_assessments')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

ownerships as (
    {{ current_rows(ref('stg_crm__ownerships')) }}
),

employees as (
    {{ current_rows(ref('stg_crm__employees')) }}
),

subscription_terms as (
    select * from {{ ref('subscription_terms') }}
    where is_paid and not is_trial
),

onboarding_clocks as (
    select * from {{ ref('int_onboarding_clocks') }}
),

entities_connected as (
    select * from {{ ref('int_entities_connected') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

connected as (
    select max(case when entity = 'interactions' then 1 else 0 end) = 1 as has_interactions
    from entities_connected
),

customers_tonight as (
    select
        service_at_dates.*,
        money_at_dates.days_to_renewal,
        night.as_of_date as tonight
    from service_at_dates
    inner join night
        on
            service_at_dates.as_of_date = night.as_of_date
            and service_at_dates.known_on = night.as_of_date
    left join money_at_dates
        on
            service_at_dates.customer_id = money_at_dates.customer_id
            and service_at_dates.as_of_date = money_at_dates.as_of_date
            and service_at_dates.known_on = money_at_dates.known_on
),

contacts_seen as (
    select
        contacts_made.*,
        {{ elapsed_days('contacts_made.contact_date', 'night.as_of_date') }} as age_days,
        coalesce(employees.role = '{{ var("csm_role") }}', false) as is_by_csm
    from contacts_made
    inner join night on contacts_made.contact_date <= night.as_of_date
    left join employees on contacts_made.employee_id = employees.employee_id
),

contacts_counted as (
    select
        customer_id,
        {{ count_when("has_note and age_days < 30") }} as note_count_30d,
        {{ count_when("mode in ('proactive', 'reactive') and age_days < 90") }}
            as moded_contact_count_90d,
        {{ count_when("mode = 'proactive' and age_days < 90") }} as proactive_count_90d,
        min(case when kind = 'handover' then contact_date end) as handed_over_on,
        min(case when is_by_csm then contact_date end) as first_csm_contact_on
    from contacts_seen
    group by customer_id
),

notes_of_views as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        count(*) as note_count_30d
    from csm_assessments
    inner join customers_resolved on csm_assessments.customer_id = customers_resolved.customer_id
    cross join night
    where
        csm_assessments.note is not null
        and csm_assessments.assessed_at <= night.as_of_end
        and {{ elapsed_days(company_date('csm_assessments.assessed_at'), 'night.as_of_date') }} < 30
    group by customers_resolved.resolved_customer_id
),

first_csms as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        min(ownerships.valid_from) as owned_from
    from ownerships
    inner join customers_resolved on ownerships.customer_id = customers_resolved.customer_id
    inner join night on ownerships.valid_from <= night.as_of_date
    where ownerships.role = '{{ var("csm_role") }}'
    group by customers_resolved.resolved_customer_id
),

first_deals as (
    select
        subscription_terms.customer_id,
        min(subscription_terms.closed_on) as closed_on
    from subscription_terms
    inner join night on subscription_terms.closed_on <= night.as_of_date
    group by subscription_terms.customer_id
),

first_deliveries as (
    select
        onboarding_clocks.customer_id,
        min_by(onboarding_clocks.clock_date, onboarding_clocks.round_no) as delivered_on
    from onboarding_clocks
    group by onboarding_clocks.customer_id
),

contacts_after_change as (
    select
        customers_tonight.customer_id,
        min(contacts_made.contact_date) as contacted_on
    from customers_tonight
    inner join contacts_made
        on
            customers_tonight.customer_id = contacts_made.customer_id
            and contacts_made.contact_date >= customers_tonight.csm_since
            and contacts_made.contact_date <= customers_tonight.tonight
    where contacts_made.side = 'ours'
    group by customers_tonight.customer_id
),

joined as (
    select
        customers_tonight.*,
        connected.has_interactions,
        coalesce(contacts_counted.note_count_30d, 0)
        + coalesce(notes_of_views.note_count_30d, 0) as note_count_30d,
        contacts_counted.moded_contact_count_90d,
        contacts_counted.proactive_count_90d,
        coalesce(contacts_counted.handed_over_on, first_csms.owned_from) as handed_over_on,
        least(first_csms.owned_from, contacts_counted.first_csm_contact_on) as cs_entered_on,
        first_deals.closed_on,
        first_deliveries.delivered_on,
        contacts_after_change.contacted_on,
        customers_tonight.days_since_our_contact
        > {{ var('lost_contact_multiple') }} * customers_tonight.plan_days as is_ours_lost,
        customers_tonight.days_since_their_contact
        > {{ var('lost_contact_multiple') }} * customers_tonight.plan_days as is_theirs_lost
    from customers_tonight
    cross join connected
    left join contacts_counted on customers_tonight.customer_id = contacts_counted.customer_id
    left join notes_of_views on customers_tonight.customer_id = notes_of_views.customer_id
    left join first_csms on customers_tonight.customer_id = first_csms.customer_id
    left join first_deals on customers_tonight.customer_id = first_deals.customer_id
    left join first_deliveries on customers_tonight.customer_id = first_deliveries.customer_id
    left join contacts_after_change
        on customers_tonight.customer_id = contacts_after_change.customer_id
),

-- The plan's next contact is one plan after the last; when that has passed, one plan from now.
coverage as (
    select
        customer_id,
        csm_id,
        has_owner,
        has_owner_left,
        has_champion_left,
        days_since_our_contact,
        days_since_their_contact,
        plan_days,
        days_since_our_contact <= plan_days as is_covered,
        case
            when is_ours_lost and is_theirs_lost then 'both'
            when is_ours_lost then 'ours'
            when is_theirs_lost then 'theirs'
            when is_ours_lost is not null or is_theirs_lost is not null then 'none'
        end as lost_contact,
        case
            when days_since_our_contact > plan_days then days_to_renewal <= plan_days
            else days_to_renewal <= plan_days - days_since_our_contact
        end as next_contact_is_renewal,
        case when has_interactions then note_count_30d > 0 end as has_note_30d,
        case when has_interactions then cast(coalesce(moded_contact_count_90d, 0) as bigint) end
            as moded_contact_count_90d,
        case when has_interactions then cast(coalesce(proactive_count_90d, 0) as bigint) end
            as proactive_count_90d,
        {{ divide('proactive_count_90d', 'moded_contact_count_90d', 'double') }}
            as proactive_ratio,
        case
            when handed_over_on <= closed_on then 0
            else cast({{ elapsed_days('closed_on', 'handed_over_on') }} as bigint)
        end as handover_lag_days,
        case
            when cs_entered_on < closed_on then 'before_deal'
            when closed_on is not null and cs_entered_on > delivered_on then 'after_delivery'
            when cs_entered_on >= closed_on then 'after_deal'
        end as cs_entry_point,
        cast({{ elapsed_days('csm_since', 'contacted_on') }} as bigint)
            as days_to_first_contact_of_owner
    from joined
)

select * from coverage
