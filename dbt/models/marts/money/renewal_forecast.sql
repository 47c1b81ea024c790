with

months as (
    select * from {{ ref('int_months') }}
),

lines_at_dates as (
    select * from {{ ref('int_contract_lines_at_dates') }}
    where is_paid and not is_in_gap
),

renewals as (
    select * from {{ ref('renewals') }}
    where not is_known_late
),

customers_described as (
    select * from {{ ref('int_customers_described') }}
),

{% set longest_grace = [
    var('grace_days_monthly'), var('grace_days_half_year'), var('grace_days_longer')
] | max -%}
-- Terms that run or are signed on made_on, and what of their ARR of that day was kept: all of it
-- where what follows has no rate.
terms_due as (
    select
        months.month_start as made_on,
        {{ month_start('lines_at_dates.due_date') }} as due_month,
        coalesce(customers_described.segment, 'unknown') as segment,
        12 * lines_at_dates.mrr as due_arr,
        12 * lines_at_dates.mrr * coalesce(
            {{ divide(
                'least(coalesce(renewals.renewed_arr, renewals.due_arr), renewals.due_arr)',
                'renewals.due_arr'
            ) }},
            0
        ) as kept_arr
    from months
    inner join lines_at_dates
        on
            months.month_start = lines_at_dates.value_date
            and months.begun_at = lines_at_dates.known_until
            and {{ month_start('lines_at_dates.due_date') }}
            between {{ add_months(1, 'months.month_start') }}
            and {{ add_months(var('due_horizon_months'), 'months.month_start') }}
    left join renewals
        on
            lines_at_dates.line_id = renewals.line_id
            and lines_at_dates.period_no = renewals.period_no
    left join customers_described
        on
            lines_at_dates.customer_id = customers_described.customer_id
            and {{ is_described_at('customers_described', 'months.begun_at') }}
),

due_summed as (
    {% for segment in ["segment", "'all'"] -%}
    select
        made_on,
        due_month,
        {{ segment }} as segment,
        count(*) as term_count,
        cast(coalesce(sum(due_arr), 0) as decimal(38, 10)) as due_arr,
        {{ effective_count('due_arr') }} as effective_count,
        cast(coalesce(sum(kept_arr), 0) as decimal(38, 10)) as kept_arr
    from terms_due
    group by made_on, due_month{{ ', segment' if segment == 'segment' }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

terms_kept as (
    select
        {{ month_start('due_date') }} as due_month,
        coalesce(segment, 'unknown') as segment,
        coalesce(due_arr, 0) as due_arr,
        least(coalesce(renewed_arr, 0), coalesce(due_arr, 0)) as kept_arr
    from renewals
    where days_from_due is null or renewed_arr is not null
),

cohorts as (
    {% for segment in ["segment", "'all'"] -%}
    select
        due_month,
        {{ segment }} as segment,
        sum(due_arr) as due_arr,
        sum(kept_arr) as kept_arr,
        {{ sum_of_squares('due_arr') }} as due_arr_squared
    from terms_kept
    group by due_month{{ ', segment' if segment == 'segment' }}
    having sum(due_arr) > 0
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- A due month is mature on made_on when the longest grace has passed after its end: what is known
-- of it by then never changes.
cohorts_mature as (
    select
        months.month_start as made_on,
        cohorts.*,
        row_number() over (
            partition by months.month_start, cohorts.segment
            order by cohorts.due_month desc
        ) as place
    from months
    inner join cohorts
        on {{ add_days(longest_grace, month_end('cohorts.due_month')) }} <= months.month_start
),

rates as (
    select
        made_on,
        segment,
        count(*) as cohort_count,
        {{ divide('sum(kept_arr)', 'sum(due_arr)', 'double') }} as rate,
        cast(sum(due_arr) as double) * cast(sum(due_arr) as double)
        / nullif(sum(due_arr_squared), 0) as effective_count
    from cohorts_mature
    where place <= {{ var('forecast_cohorts') }}
    group by made_on, segment
),

-- The rate is uncertain by the terms it was seen on, and what comes by the terms that are due:
-- both as if all terms were of one size.
rated as (
    select
        due_summed.*,
        rates.rate,
        rates.cohort_count,
        1 / (1 / rates.effective_count + 1 / due_summed.effective_count) as n
    from due_summed
    left join rates
        on
            due_summed.made_on = rates.made_on
            and due_summed.segment = rates.segment
),

-- The wider of Wilson's interval, which has a width where all or none were kept, and the normal
-- one, which holds that all of a few terms are.
bounded as (
    select
        *,
        least({{ wilson('(rate * n)', 'n', 'low') }}, rate - {{ normal_95('rate', 'n') }})
            as rate_low,
        greatest({{ wilson('(rate * n)', 'n', 'high') }}, rate + {{ normal_95('rate', 'n') }})
            as rate_high
    from rated
),

renewal_forecast as (
    select
        made_on,
        due_month,
        segment,
        term_count,
        due_arr,
        cohort_count,
        cast(rate as decimal(38, 10)) as rate,
        cast(due_arr * rate as decimal(38, 10)) as expected_arr,
        case when rate is not null then cast(due_arr * greatest(rate_low, 0) as decimal(38, 10)) end
            as low,
        case when rate is not null then cast(due_arr * least(rate_high, 1) as decimal(38, 10)) end
            as high,
        case
            when {{ add_days(longest_grace, month_end('due_month')) }} <= {{ as_of_date() }}
                then kept_arr
        end as actual_arr
    from bounded
)

select * from renewal_forecast
