with

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

surveys as (
    select * from {{ ref('stg_crm__surveys') }}
),

csm_assessments as (
    select * from {{ ref('stg_crm__csm_assessments') }}
),

answers as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        surveys.kind,
        surveys.survey_id as answer_id,
        surveys.responded_at as answered_at,
        {{ company_date('surveys.responded_at') }} as answered_date,
        surveys.score,
        null as view,
        {{ var('survey_fresh_days') }} as fresh_days,
        surveys.known_from,
        surveys.known_to
    from surveys
    inner join customers_resolved on surveys.customer_id = customers_resolved.customer_id
    where surveys.responded_at is not null and surveys.score is not null
    union all
    select
        customers_resolved.resolved_customer_id as customer_id,
        'csm_view' as kind,
        csm_assessments.customer_id as answer_id,
        csm_assessments.assessed_at as answered_at,
        {{ company_date('csm_assessments.assessed_at') }} as answered_date,
        null as score,
        csm_assessments.view,
        {{ var('assessment_fresh_days') }} as fresh_days,
        csm_assessments.known_from,
        csm_assessments.known_to
    from csm_assessments
    inner join customers_resolved on csm_assessments.customer_id = customers_resolved.customer_id
),

placed as (
    select
        answers.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        answers.kind,
        answers.score,
        answers.view,
        {{ dbt.datediff('answers.answered_date', 'signal_dates.as_of_date', 'day') }}
            as age_days,
        row_number() over (
            partition by
                answers.customer_id,
                signal_dates.as_of_date,
                signal_dates.known_on,
                answers.kind
            order by answers.answered_at desc, answers.answer_id
        ) as place
    from answers
    inner join signal_dates
        on
            answers.answered_date <= signal_dates.as_of_date
            and {{ add_days('answers.fresh_days', 'answers.answered_date') }}
            > signal_dates.as_of_date
            and {{ is_known_at('answers', 'signal_dates.known_until') }}
),

voices_at_dates as (
    select
        customer_id,
        as_of_date,
        known_on,
        cast(max(case when kind = 'nps' then score end) as double) as nps_score,
        cast(max(case when kind = 'csat' then score end) as double) as csat_score,
        cast(min(case when kind in ('nps', 'csat') then age_days end) as bigint)
            as survey_age_days,
        max(case when kind = 'csm_view' then view end) as csm_view
    from placed
    where place = 1
    group by customer_id, as_of_date, known_on
)

select * from voices_at_dates
