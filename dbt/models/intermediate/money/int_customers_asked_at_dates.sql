with

-- Tonight all terms are judged; a past date was known to nobody else.
signal_dates as (
    select * from {{ ref('int_signal_dates') }}
    where known_until < {{ as_of_end() }}
),

lines as (
    select
        *,
        case when not is_auto_renew then {{ day_end(add_days('grace_days', 'term_end')) }} end
            as settled_at
    from {{ ref('int_contract_lines_priced') }}
    where is_paid
),

linked as (
    select * from {{ ref('int_contract_lines_linked') }}
),

-- Lines of which one may follow the other: by link, whosever they are, or by product.
pairs as (
    select
        linked.line_id,
        linked.next_line_id
    from linked
    union
    select
        lines.line_id,
        nexts.line_id as next_line_id
    from lines
    inner join lines as nexts
        on
            lines.customer_id = nexts.customer_id
            and lines.line_id != nexts.line_id
            and lines.term_start < nexts.term_start
            and {{ is_known_together('lines', 'nexts') }}
    where
        (lines.product_key = nexts.product_key or {{ is_same_kind('lines', 'nexts') }})
        and (
            lines.is_auto_renew
            or nexts.term_start >= {{ add_days(-var('successor_window_days'), 'lines.term_end') }}
        )
),

-- While both are known and until the earlier is settled; one that goes on by itself never is.
pairs_dated as (
    select
        lines.customer_id,
        nexts.customer_id as next_customer_id,
        greatest(lines.known_from, nexts.known_from, {{ day_start('nexts.closed_on') }})
            as asked_from,
        least(lines.known_to, nexts.known_to, lines.settled_at) as asked_to
    from pairs
    inner join lines on pairs.line_id = lines.line_id
    inner join lines as nexts on pairs.next_line_id = nexts.line_id
    where {{ is_known_together('lines', 'nexts') }}
),

-- What takes over a line of another customer may be what a line of its own waits for.
customers_asked as (
    select
        customer_id,
        asked_from,
        asked_to
    from pairs_dated
    union
    select
        next_customer_id as customer_id,
        asked_from,
        asked_to
    from pairs_dated
),

asked as (
    select distinct
        customers_asked.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_until
    from customers_asked
    inner join signal_dates
        on
            customers_asked.asked_from <= signal_dates.known_until
            and (
                customers_asked.asked_to is null
                or customers_asked.asked_to > signal_dates.known_until
            )
)

select * from asked
