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

lines_known_tonight as (
    select * from lines
    where {{ is_known_at('lines', as_of_end()) }}
),

first_known as (
    select
        line_id,
        min(known_from) as known_at
    from lines
    group by line_id
),

lines_ended as (
    select
        lines_known_tonight.*,
        first_known.known_at,
        first_ends.ends_on,
        first_ends.end_reason
    from lines_known_tonight
    inner join first_known on lines_known_tonight.line_id = first_known.line_id
    left join first_ends
        on
            lines_known_tonight.line_id = first_ends.line_id
            and {{ is_known_at('first_ends', as_of_end()) }}
),

periods as (
    {{ periods_begun('lines_ended', 'least(' ~ as_of_date() ~ ', ends_on)') }}
),

terms as (
    select
        *,
        least(period_end, ends_on) as effective_end
    from periods
    where ends_on is null or ends_on > period_start
),

rates_at_start as (
    {{ rates_of_days(ref('int_exchange_rates_dated'), 'terms', 'currency', 'period_start') }}
),

continued_tonight as (
    select
        line_id,
        ends_on,
        min(continued_until) as continued_until
    from continued
    where {{ is_known_at('continued', as_of_end()) }}
    group by line_id, ends_on
),

subscription_terms as (
    select
        terms.line_id || '#' || terms.period_no as term_id,
        terms.line_id,
        terms.customer_id,
        terms.product_id,
        terms.order_id,
        terms.order_line_id,
        terms.subscription_id,
        terms.product_kind,
        terms.currency,
        terms.unit,
        terms.originator_role,
        case when terms.effective_end = terms.ends_on then terms.end_reason end as end_reason,
        terms.period_no,
        terms.term_months,
        terms.whole_months,
        {{ elapsed_days('terms.period_start', 'terms.period_end') }} as term_days,
        terms.grace_days,
        terms.quantity,
        terms.amount,
        terms.contract_mrr,
        terms.contract_discount_mrr,
        cast(terms.contract_mrr * rates_at_start.rate as decimal(38, 10)) as mrr,
        cast(12 * terms.contract_mrr * rates_at_start.rate as decimal(38, 10)) as arr,
        terms.is_trial,
        terms.is_paid,
        terms.is_lifetime,
        terms.is_auto_renew,
        terms.had_discount,
        terms.contract_mrr is not null and rates_at_start.rate is null as is_rate_missing,
        terms.period_start as term_start,
        terms.period_end as term_end,
        terms.effective_end,
        case when not terms.is_trial then continued_tonight.continued_until end as continued_until,
        case when terms.period_no = 1 then terms.closed_on else terms.period_start end as closed_on,
        terms.known_at
    from terms
    left join rates_at_start
        on
            terms.currency = rates_at_start.currency
            and terms.period_start = rates_at_start.rate_day
    left join continued_tonight
        on
            terms.line_id = continued_tonight.line_id
            and terms.effective_end = continued_tonight.ends_on
)

select * from subscription_terms
