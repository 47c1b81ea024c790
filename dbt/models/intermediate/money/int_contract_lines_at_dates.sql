with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

first_ends as (
    select * from {{ ref('int_contract_lines_first_ended') }}
),

continued as (
    select * from {{ ref('int_contract_lines_continued') }}
),

rates_at_dates as (
    select * from {{ ref('int_exchange_rates_at_dates') }}
),

valued_dates as (
    select distinct
        value_date,
        known_until
    from rates_at_dates
),

lines_bounded as (
    select
        *,
        case
            when is_auto_renew or term_end is null then {{ far_future() }}
            else {{ add_days(var('gap_days'), 'term_end') }}
        end as runs_before
    from lines
),

-- Terms that may run on a date or are signed for later, as known then: their end is the earliest of
-- the ends known.
lines_at_dates as (
    select
        lines_bounded.line_id,
        lines_bounded.customer_id,
        lines_bounded.product_key,
        lines_bounded.currency,
        lines_bounded.unit,
        lines_bounded.quantity,
        lines_bounded.contract_mrr,
        lines_bounded.whole_months,
        lines_bounded.term_days,
        lines_bounded.term_months,
        lines_bounded.term_start,
        lines_bounded.term_end,
        lines_bounded.is_paid,
        lines_bounded.is_trial,
        lines_bounded.is_auto_renew,
        lines_bounded.term_start <= valued_dates.value_date as has_begun,
        valued_dates.value_date,
        valued_dates.known_until
    from lines_bounded
    inner join valued_dates
        on
            least(lines_bounded.term_start, lines_bounded.closed_on) <= valued_dates.value_date
            and lines_bounded.runs_before > valued_dates.value_date
    where {{ is_known_at('lines_bounded', 'valued_dates.known_until') }}
),

lines_ended as (
    select
        lines_at_dates.*,
        least(
            case when not lines_at_dates.is_auto_renew then lines_at_dates.term_end end,
            first_ends.ends_on
        ) as line_end,
        case
            when lines_at_dates.is_auto_renew
                then 1 + {{ periods_ended(
                    'lines_at_dates.term_start',
                    'lines_at_dates.whole_months',
                    'lines_at_dates.term_days',
                    'lines_at_dates.value_date'
                ) }}
            else 1
        end as period_no
    from lines_at_dates
    left join first_ends
        on
            lines_at_dates.line_id = first_ends.line_id
            and {{ is_known_at('first_ends', 'lines_at_dates.known_until') }}
),

lines_continued as (
    select
        lines_ended.line_id,
        lines_ended.value_date,
        lines_ended.known_until,
        min(continued.continued_until) as continued_until
    from lines_ended
    inner join continued
        on
            lines_ended.line_id = continued.line_id
            and lines_ended.line_end = continued.ends_on
            and {{ is_known_at('continued', 'lines_ended.known_until') }}
    group by lines_ended.line_id, lines_ended.value_date, lines_ended.known_until
),

running as (
    select
        lines_ended.*,
        case
            when lines_ended.is_auto_renew
                then {{ period_end(
                    'lines_ended.term_start',
                    'lines_ended.whole_months',
                    'lines_ended.term_days',
                    'lines_ended.period_no'
                ) }}
            else lines_ended.term_end
        end as due_date,
        rates_at_dates.rate
    from lines_ended
    left join lines_continued
        on
            lines_ended.line_id = lines_continued.line_id
            and lines_ended.value_date = lines_continued.value_date
            and lines_ended.known_until = lines_continued.known_until
    left join rates_at_dates
        on
            lines_ended.currency = rates_at_dates.currency
            and lines_ended.value_date = rates_at_dates.value_date
            and lines_ended.known_until = rates_at_dates.known_until
    where
        lines_ended.line_end is null
        or lines_ended.line_end > greatest(lines_ended.value_date, lines_ended.term_start)
        or lines_continued.continued_until > lines_ended.value_date
),

running_valued as (
    select
        running.line_id,
        running.customer_id,
        running.product_key,
        running.currency,
        running.value_date,
        running.known_until,
        running.unit,
        running.quantity,
        running.contract_mrr,
        cast(running.contract_mrr * running.rate as decimal(38, 10)) as mrr,
        running.is_paid,
        running.is_trial,
        running.has_begun,
        running.term_months,
        coalesce(running.line_end <= running.value_date, false) as is_in_gap,
        running.period_no,
        running.due_date,
        case
            when
                running.is_paid
                and running.due_date > running.value_date
                and (running.line_end is null or running.line_end >= running.due_date)
                then running.due_date
        end as open_due_date
    from running
)

select * from running_valued
