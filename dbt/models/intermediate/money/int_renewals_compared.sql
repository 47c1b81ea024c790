with

renewals as (
    select * from {{ ref('renewals') }}
),

terms_tonight as (
    select * from {{ ref('int_terms_due') }}
    where judged_by = 'tonight'
),

succeeded_tonight as (
    select * from {{ ref('int_terms_succeeded') }}
    where judged_by = 'tonight'
),

-- What a renewal is for good, and what it would be if all that is known tonight had been known.
compared as (
    select
        coalesce(renewals.term_id, terms_tonight.term_id) as term_id,
        coalesce(renewals.customer_id, terms_tonight.customer_id) as customer_id,
        coalesce(terms_tonight.line_id, renewals.line_id) as line_id,
        coalesce(succeeded_tonight.next_line_id, terms_tonight.line_id, renewals.line_id)
            as next_line_id,
        coalesce(renewals.due_date, terms_tonight.due_date) as due_date,
        coalesce(renewals.matures_on, terms_tonight.matures_on) as matures_on,
        case
            when renewals.is_known_late then 0
            when renewals.days_from_due is not null and renewals.renewed_arr is null then 0
            else coalesce(renewals.due_arr, 0)
        end as closed_due,
        case
            when renewals.is_known_late then 0
            else least(coalesce(renewals.renewed_arr, 0), coalesce(renewals.due_arr, 0))
        end as closed_kept,
        case
            when succeeded_tonight.is_next_rate_missing then 0
            else coalesce(terms_tonight.due_arr, 0)
        end as due_now,
        case
            when terms_tonight.goes_on then coalesce(terms_tonight.due_arr, 0)
            else least(
                coalesce(succeeded_tonight.renewed_arr, 0), coalesce(terms_tonight.due_arr, 0)
            )
        end as kept_now
    from renewals
    full join terms_tonight on renewals.term_id = terms_tonight.term_id
    left join succeeded_tonight on terms_tonight.term_id = succeeded_tonight.term_id
),

{% set longest_grace = [
    var('grace_days_monthly'), var('grace_days_half_year'), var('grace_days_longer')
] | max -%}
renewals_matured as (
    select
        *,
        {{ month_start('due_date') }} as month_start
    from compared
    where
        {{ add_days(longest_grace, month_end(month_start('due_date'))) }} <= {{ as_of_date() }}
)

select * from renewals_matured
