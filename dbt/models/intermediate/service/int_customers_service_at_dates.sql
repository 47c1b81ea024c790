-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as date) as as_of_date,
    cast(null as date) as known_on,
    cast(null as bigint) as days_since_our_contact,
    cast(null as bigint) as days_since_their_contact,
    cast(null as boolean) as has_champion_left,
    cast(null as boolean) as has_owner,
    cast(null as varchar) as csm_id,
    cast(null as date) as renewal_talk_started_date,
    cast(null as bigint) as open_ticket_count,
    cast(null as bigint) as unanswered_ticket_count,
    cast(null as bigint) as oldest_unanswered_days,
    cast(null as bigint) as ticket_count_90d,
    cast(null as double) as ticket_csat_180d,
    cast(null as double) as nps_score,
    cast(null as double) as csat_score,
    cast(null as bigint) as survey_age_days,
    cast(null as varchar) as csm_view,
    cast(null as varchar) as onboarding_status,
    cast(null as bigint) as onboarding_days,
    cast(null as double) as onboarding_on_time_ratio
where false
