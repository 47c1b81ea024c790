with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
    where is_paid
),

ended as (
    select * from {{ ref('int_contract_lines_ended') }}
),

-- Who names a line that was taken over before follows what took it over.
linked as (
    select distinct
        line_id,
        next_line_id
    from {{ ref('int_contract_lines_linked') }}
    where preceded_from is null or preceded_from > known_from
),

-- What is cancelled after its end has ended before.
possible_ends as (
    select
        lines.line_id,
        lines.customer_id,
        lines.product_key,
        lines.product_kind,
        lines.term_start,
        ended.ends_on,
        greatest(lines.known_from, ended.known_from) as known_from,
        least(lines.known_to, ended.known_to) as known_to
    from lines
    inner join ended
        on
            lines.line_id = ended.line_id
            and {{ is_known_together('lines', 'ended') }}
    where
        ended.ends_on > lines.term_start
        and (
            lines.is_auto_renew or lines.term_end is null or ended.ends_on <= lines.term_end
        )
    union all
    select
        line_id,
        customer_id,
        product_key,
        product_kind,
        term_start,
        term_end as ends_on,
        known_from,
        known_to
    from lines
    where term_end is not null and not is_auto_renew
),

ends_counted as (
    select
        customer_id,
        product_key,
        ends_on,
        count(distinct line_id) as end_count
    from possible_ends
    group by customer_id, product_key, ends_on
),

starts_counted as (
    select
        customer_id,
        product_key,
        term_start,
        count(distinct line_id) as start_count
    from lines
    group by customer_id, product_key, term_start
),

-- Most ends are met by a start of the same product on the same day: no gap, nothing to search.
days_with_gap as (
    select
        ends_counted.customer_id,
        ends_counted.product_key,
        ends_counted.ends_on
    from ends_counted
    left join starts_counted
        on
            ends_counted.customer_id = starts_counted.customer_id
            and ends_counted.product_key = starts_counted.product_key
            and ends_counted.ends_on = starts_counted.term_start
    where starts_counted.start_count is null or starts_counted.start_count < ends_counted.end_count
),

ends_searched as (
    select possible_ends.*
    from possible_ends
    inner join days_with_gap
        on
            possible_ends.customer_id = days_with_gap.customer_id
            and possible_ends.product_key = days_with_gap.product_key
            and possible_ends.ends_on = days_with_gap.ends_on
),

paired as (
    select
        ends_searched.line_id,
        ends_searched.customer_id,
        ends_searched.product_key,
        ends_searched.ends_on,
        nexts.line_id as next_line_id,
        nexts.term_start as next_term_start,
        case
            when linked.line_id is not null then 1
            when ends_searched.product_key = nexts.product_key then 2
            else 3
        end as tier,
        abs({{ elapsed_days('ends_searched.ends_on', 'nexts.term_start') }}) as distance_days,
        greatest(ends_searched.known_from, nexts.known_from) as known_from,
        least(ends_searched.known_to, nexts.known_to) as known_to
    from ends_searched
    inner join lines as nexts
        on
            ends_searched.customer_id = nexts.customer_id
            and ends_searched.line_id != nexts.line_id
            and ends_searched.term_start < nexts.term_start
            and nexts.term_start
            between {{ add_days(-var('successor_window_days'), 'ends_searched.ends_on') }}
            and {{ add_days(var('gap_days'), 'ends_searched.ends_on') }}
            and {{ is_known_together('ends_searched', 'nexts') }}
    left join linked
        on
            ends_searched.line_id = linked.line_id
            and nexts.line_id = linked.next_line_id
    where
        linked.line_id is not null
        or ends_searched.product_key = nexts.product_key
        or {{ is_same_kind('ends_searched', 'nexts') }}
),

-- Lines that end together take the lines that follow in turn; a line follows one line only, at
-- whichever of that line's possible ends.
chosen as (
    select
        *,
        min(distance_days) over (partition by line_id, next_line_id) as line_distance_days,
        dense_rank() over (
            partition by line_id, ends_on
            order by tier, distance_days, next_term_start, next_line_id
        ) as choice_no,
        dense_rank() over (
            partition by customer_id, product_key, ends_on
            order by line_id
        ) as turn_no
    from paired
),

taken_once as (
    select
        *,
        dense_rank() over (
            partition by next_line_id
            order by tier, line_distance_days, line_id
        ) as taker_no
    from chosen
    where choice_no = turn_no or tier = 1
),

continued as (
    select distinct
        line_id,
        ends_on,
        next_term_start as continued_until,
        next_line_id,
        known_from,
        known_to
    from taken_once
    where
        taker_no = 1
        and next_term_start > ends_on
        and (known_to is null or known_to > known_from)
)

select * from continued
