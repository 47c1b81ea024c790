with

-- Tonight all terms are judged; a past date was known to nobody else.
signal_dates as (
    select * from {{ ref('int_signal_dates') }}
    where known_until < {{ as_of_end() }}
),

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
    where is_paid
),

linked as (
    select * from {{ ref('int_contract_lines_linked') }}
),

-- Lines of which one may follow the other, while both are known and until the earlier is mature.
pairs as (
    select distinct
        lines.customer_id,
        greatest(lines.known_from, nexts.known_from, {{ day_start('nexts.closed_on') }})
            as asked_from,
        least(
            lines.known_to,
            nexts.known_to,
            case
                when not lines.is_auto_renew
                    then {{ day_end(add_days('lines.grace_days', 'lines.term_end')) }}
            end
        ) as asked_to
    from lines
    inner join lines as nexts
        on
            lines.customer_id = nexts.customer_id
            and lines.line_id != nexts.line_id
            and lines.term_start < nexts.term_start
            and {{ is_known_together('lines', 'nexts') }}
    left join linked
        on
            lines.line_id = linked.line_id
            and nexts.line_id = linked.next_line_id
    where
        linked.line_id is not null
        or (
            (lines.product_key = nexts.product_key or lines.product_kind = nexts.product_kind)
            and (
                lines.is_auto_renew
                or nexts.term_start
                >= {{ add_days(-var('successor_window_days'), 'lines.term_end') }}
            )
        )
),

asked as (
    select distinct
        pairs.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_until
    from pairs
    inner join signal_dates
        on
            pairs.asked_from <= signal_dates.known_until
            and (pairs.asked_to is null or pairs.asked_to > signal_dates.known_until)
)

select * from asked
