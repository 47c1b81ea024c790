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
        surveys.score,
        null as view,
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
        null as score,
        csm_assessments.view,
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
        {{ dbt.datediff(company_date('answers.answered_at'), 'signal_dates.as_of_date', 'day') }}
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
            {{ company_date('answers.answered_at') }} <= signal_dates.as_of_date
            and {{ is_known_at('answers', 'signal_dates.known_until') }}
),

fresh as (
    select *
    from placed
    where
        place = 1
        and age_days < case
            when kind = 'csm_view' then {{ var('assessment_fresh_days') }}
            else {{ var('survey_fresh_days') }}
        end
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
    from fresh
    group by customer_id, as_of_date, known_on
)

select * from voices_at_dates
