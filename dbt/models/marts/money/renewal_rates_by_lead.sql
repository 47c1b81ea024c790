with

renewals as (
    select * from {{ ref('renewals') }}
    where
        is_mature
        and not is_known_late
        and term_class = 'longer'
        and outcome not in ('lifetime', 'not_due')
),

-- Without any talk noted, that there was none is not known.
talks as (
    select count(*) as talk_count
    from {{ ref('stg_crm__interactions') }}
    where kind = 'renewal_talk'
),

{% set days = var('talk_lead_days') | sort -%}
bucketed as (
    select
        case
            when renewals.talk_lead_days is null then 'no_talk'
            when renewals.talk_lead_days < 0 then 'after_due'
            {% for day in days -%}
            when renewals.talk_lead_days < {{ day }}
                then '{{ 0 if loop.first else days[loop.index0 - 1] }}_to_{{ day - 1 }}_days'
            {% endfor -%}
            else '{{ days | last }}_days_and_more'
        end as lead_bucket,
        case when renewals.days_from_due is not null then 1 else 0 end as is_kept
    from renewals
    cross join talks
    where talks.talk_count > 0
),

summed as (
    select
        lead_bucket,
        count(*) as n,
        sum(is_kept) as kept_count
    from bucketed
    group by lead_bucket
),

renewal_rates_by_lead as (
    select
        lead_bucket,
        n,
        {{ divide('kept_count', 'n') }} as rate,
        {{ wilson('kept_count', 'n', 'low') }} as rate_low,
        {{ wilson('kept_count', 'n', 'high') }} as rate_high
    from summed
)

select * from renewal_rates_by_lead
