with

surveys as (
    {{ current_rows(ref('stg_crm__surveys')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

customers as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null
),

ownerships as (
    select * from {{ ref('int_ownerships_at_dates') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

surveys_seen as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        surveys.kind as survey_kind,
        surveys.sent_at,
        case when surveys.responded_at <= night.as_of_end then surveys.responded_at end
            as responded_at,
        case when surveys.responded_at <= night.as_of_end then surveys.score end as score,
        night.as_of_date
    from surveys
    inner join customers_resolved on surveys.customer_id = customers_resolved.customer_id
    inner join night on coalesce(surveys.sent_at, surveys.responded_at) <= night.as_of_end
),

-- An answer counts while it is fresh, a question from the day it was sent, for as long. Answers
-- alone, without the questions, tell nothing of how many answer.
surveys_aged as (
    select
        *,
        {{ elapsed_days(company_date('responded_at'), 'as_of_date') }} as age_days,
        {{ elapsed_days(company_date('sent_at'), 'as_of_date') }}
        < {{ var('survey_fresh_days') }} as is_asked_lately
    from surveys_seen
),

surveys_judged as (
    select
        *,
        case when age_days < {{ var('survey_fresh_days') }} then score end as fresh_score,
        case
            when survey_kind = 'nps' and score >= 9 then 1
            when survey_kind = 'nps' and score <= 6 then -1
            when survey_kind = 'csat' and score >= 4 then 1
            when survey_kind = 'ces' and score >= 5 then 1
            else 0
        end as vote
    from surveys_aged
),

scoped as (
    select
        'all' as scope,
        'all' as scope_value,
        surveys_judged.*
    from surveys_judged
    union all
    select
        'segment' as scope,
        customers.segment as scope_value,
        surveys_judged.*
    from surveys_judged
    inner join customers on surveys_judged.customer_id = customers.customer_id
    where customers.segment is not null
    union all
    select
        'csm' as scope,
        ownerships.csm_id as scope_value,
        surveys_judged.*
    from surveys_judged
    inner join ownerships
        on
            surveys_judged.customer_id = ownerships.customer_id
            and surveys_judged.as_of_date = ownerships.as_of_date
            and surveys_judged.as_of_date = ownerships.known_on
    where ownerships.csm_id is not null
),

counted as (
    select
        scope,
        scope_value,
        survey_kind,
        count(fresh_score) as n,
        sum(case when fresh_score is not null then vote end) as votes,
        count(case when fresh_score is not null and vote != 0 then 1 end) as clear_votes,
        {{ percentile('case when fresh_score is not null then age_days end', 0.5) }}
            as age_days_p50,
        {{ count_when('is_asked_lately') }} as sent_count,
        {{ count_when('is_asked_lately and responded_at is not null') }} as responded_count
    from scoped
    group by scope, scope_value, survey_kind
),

scored as (
    select
        *,
        {{ divide('votes', 'n', 'double') }} as score,
        {{ divide('clear_votes', 'n', 'double') }} as clear_share
    from counted
    where n > 0 or sent_count > 0
),

voice_of_customer as (
    select
        scope,
        scope_value,
        survey_kind,
        score,
        case
            when survey_kind = 'nps' and n > 0
                then greatest(score - 1.959964 * sqrt((clear_share - score * score) / n), -1)
            else {{ wilson('votes', 'n', 'low') }}
        end as score_low,
        case
            when survey_kind = 'nps' and n > 0
                then least(score + 1.959964 * sqrt((clear_share - score * score) / n), 1)
            else {{ wilson('votes', 'n', 'high') }}
        end as score_high,
        cast(n as bigint) as n,
        cast(sent_count as bigint) as sent_count,
        {{ divide('responded_count', 'sent_count', 'double') }} as response_rate,
        cast(age_days_p50 as double) as age_days_p50
    from scored
)

select * from voice_of_customer
