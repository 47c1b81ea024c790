with

present as (
    select * from {{ ref('int_customers_present_at_dates') }}
),

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

first_ends as (
    select * from {{ ref('int_contract_lines_first_ended') }}
),

paying as (
    select distinct
        customer_id,
        value_date,
        known_until
    from {{ ref('int_contract_lines_at_dates') }}
    where is_paid and has_begun
),

-- Who paid once and does not now: when did the last of it end, as known then?
not_paying as (
    select
        present.customer_id,
        present.as_of_date,
        present.known_until
    from present
    left join paying
        on
            present.customer_id = paying.customer_id
            and present.as_of_date = paying.value_date
            and present.known_until = paying.known_until
    where present.first_paid_date is not null and paying.customer_id is null
),

lines_with_ends as (
    select distinct line_id from first_ends
),

-- A line without an end of its own is overtaken by the next one that ends no sooner.
lines_followed as (
    select
        lines.line_id,
        lines.customer_id,
        lines.grace_days,
        lines.contract_mrr,
        lines.term_start,
        lines.known_from,
        lines.known_to,
        case when not lines.is_auto_renew then lines.term_end end as term_end,
        lead(
            case
                when
                    lines_with_ends.line_id is null
                    and not lines.is_auto_renew
                    and lines.known_to is null
                    then lines.term_end
            end
        ) over (
            partition by lines.customer_id
            order by lines.term_start, lines.known_from, lines.line_id
        ) as next_term_end,
        lead(greatest(lines.term_start, {{ company_date('lines.known_from') }})) over (
            partition by lines.customer_id
            order by lines.term_start, lines.known_from, lines.line_id
        ) as next_from
    from lines
    left join lines_with_ends on lines.line_id = lines_with_ends.line_id
    where lines.is_paid
),

lines_not_overtaken as (
    select
        *,
        case
            when next_term_end >= term_end then next_from
            else {{ far_future() }}
        end as overtaken_on
    from lines_followed
),

past_lines as (
    select
        not_paying.customer_id,
        not_paying.as_of_date,
        not_paying.known_until,
        lines_not_overtaken.line_id,
        lines_not_overtaken.grace_days,
        lines_not_overtaken.contract_mrr,
        lines_not_overtaken.term_end
    from not_paying
    inner join lines_not_overtaken
        on
            not_paying.customer_id = lines_not_overtaken.customer_id
            and lines_not_overtaken.term_start <= not_paying.as_of_date
            and lines_not_overtaken.overtaken_on > not_paying.as_of_date
    where {{ is_known_at('lines_not_overtaken', 'not_paying.known_until') }}
),

past_ends as (
    select
        past_lines.*,
        least(past_lines.term_end, first_ends.ends_on) as line_end
    from past_lines
    left join first_ends
        on
            past_lines.line_id = first_ends.line_id
            and {{ is_known_at('first_ends', 'past_lines.known_until') }}
),

last_ends as (
    select
        customer_id,
        as_of_date,
        known_until,
        max(line_end) as last_end,
        max(contract_mrr) as contract_mrr,
        max_by(
            {{ add_days('grace_days', 'line_end') }}, (line_end, grace_days)
        ) as last_grace_end
    from past_ends
    group by customer_id, as_of_date, known_until
)

select * from last_ends
