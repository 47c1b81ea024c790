with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
    where is_paid
),

first_ends as (
    select * from {{ ref('int_contract_lines_first_ended') }}
),

asked_at_dates as (
    select * from {{ ref('int_customers_asked_at_dates') }}
),

periods as (
    {{ periods_begun('lines', as_of_date()) }}
),

-- All terms are judged tonight; at a past date those of customers of whom something may follow,
-- with the terms that compete for it.
judged_periods as (
    select
        periods.*,
        periods.period_end as due_date,
        'tonight' as night,
        {{ as_of_end() }} as night_end
    from periods
    union all
    select
        periods.*,
        periods.period_end as due_date,
        cast(asked_at_dates.as_of_date as varchar) as night,
        asked_at_dates.known_until as night_end
    from periods
    inner join asked_at_dates
        on
            periods.customer_id = asked_at_dates.customer_id
            and periods.known_from <= asked_at_dates.known_until
            and (periods.period_no = 1 or periods.period_start <= asked_at_dates.as_of_date)
            and (
                periods.period_end is null
                or {{ add_days(
                    'periods.grace_days + ' ~ var('successor_window_days'), 'periods.period_end'
                ) }} > asked_at_dates.as_of_date
            )
),

maturing as (
    select
        *,
        {{ add_days('grace_days', 'due_date') }} as matures_on,
        least({{ day_end(add_days('grace_days', 'due_date')) }}, night_end) as matures_at
    from judged_periods
),

-- Nobody knew a term in time whose line was taken to have ended before it.
known as (
    select
        maturing.*,
        {{ is_known_at('maturing', 'maturing.matures_at') }}
        and first_ends.line_id is null as is_known_in_time,
        {{ is_known_at('maturing', 'maturing.night_end') }} as is_known_that_night
    from maturing
    left join first_ends
        on
            maturing.line_id = first_ends.line_id
            and maturing.period_start >= first_ends.ends_on
            and {{ is_known_at('first_ends', 'maturing.matures_at') }}
),

-- What is known of a term counts up to the end of its grace. The version that matured first stays;
-- a term that nobody knew by then is judged by what is known that night, and belongs to no cohort.
ranked as (
    select
        *,
        min(known_from) over (partition by night, line_id, period_no) as first_known_at,
        row_number() over (
            partition by night, line_id, period_no
            order by
                case when is_known_in_time then 0 when is_known_that_night then 1 else 2 end,
                matures_on,
                known_from
        ) as choice_no
    from known
),

-- Tonight every term twice: as it is judged for good, and with all that is known tonight.
chosen as (
    select
        *,
        case when night = 'tonight' then 'in_time' else night end as judged_by,
        not is_known_in_time as is_known_late,
        case when is_known_in_time then matures_at else night_end end as judged_at,
        case when is_known_in_time then matures_at else night_end end as final_at
    from ranked
    where choice_no = 1 and (is_known_in_time or is_known_that_night)
    union all
    select
        *,
        night as judged_by,
        false as is_known_late,
        night_end as judged_at,
        matures_at as final_at
    from ranked
    where night = 'tonight' and is_known_that_night
),

terms as (
    select
        judged_by,
        line_id,
        line_id || '#' || period_no as term_id,
        customer_id,
        order_id,
        product_id,
        product_key,
        product_kind,
        currency,
        contract_mrr,
        whole_months,
        term_days,
        term_months,
        grace_days,
        period_no,
        period_start,
        due_date,
        matures_on,
        is_auto_renew,
        is_lifetime,
        had_discount,
        is_known_late,
        non_renewal_noted_at,
        known_from,
        first_known_at,
        judged_at,
        final_at,
        night_end
    from chosen
),

rates_at_start as (
    {{ rates_of_days(ref('int_exchange_rates_first_known'), 'terms', 'currency', 'period_start') }}
),

due as (
    select
        terms.*,
        rates_at_start.rate,
        cast(12 * terms.contract_mrr * rates_at_start.rate as decimal(38, 10)) as due_arr,
        first_ends.ends_on as line_end,
        first_ends.end_reason,
        least(terms.due_date, first_ends.ends_on) as effective_end,
        terms.is_auto_renew and (
            first_ends.ends_on is null or first_ends.ends_on > terms.due_date
        ) as goes_on
    from terms
    left join first_ends
        on
            terms.line_id = first_ends.line_id
            and {{ is_known_at('first_ends', 'terms.judged_at') }}
    left join rates_at_start
        on
            terms.currency = rates_at_start.currency
            and terms.period_start = rates_at_start.rate_day
    where first_ends.ends_on is null or first_ends.ends_on > terms.period_start
)

select * from due
