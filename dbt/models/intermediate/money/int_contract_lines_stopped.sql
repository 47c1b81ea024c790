with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

linked as (
    select * from {{ ref('int_contract_lines_linked') }}
),

ended_apart as (
    select * from {{ ref('int_contract_lines_ended_apart') }}
),

-- Without a link: a later line of the same product (or the next version) that starts where a period
-- ends, give or take the gap; any other runs beside. Each such line stops one line only, of those
-- that still run: the one whose period ends nearest to its start, first come first served.
successors_by_product as (
    select
        lines.line_id,
        lines.term_start,
        nexts.line_id as next_line_id,
        nexts.term_start as next_term_start,
        case when lines.product_key = nexts.product_key then 1 else 2 end as tier,
        {{ period_end_after(
            'lines.term_start',
            'lines.whole_months',
            'lines.term_days',
            add_days(-var('gap_days') - 1, 'nexts.term_start')
        ) }} as ends_on,
        nexts.product_key,
        nexts.customer_id,
        greatest(lines.known_from, nexts.known_from) as known_from,
        least(lines.known_to, nexts.known_to) as known_to
    from lines
    inner join lines as nexts
        on
            lines.customer_id = nexts.customer_id
            and lines.line_id != nexts.line_id
            and lines.term_start < nexts.term_start
            and (
                lines.product_key = nexts.product_key
                or (lines.product_kind = 'version' and nexts.product_kind = 'version')
            )
            and {{ is_known_together('lines', 'nexts') }}
    where
        lines.is_auto_renew
        and not lines.is_trial
        and not nexts.is_trial
),

successors_possible as (
    select
        *,
        abs({{ elapsed_days('ends_on', 'next_term_start') }}) as distance_days
    from successors_by_product
    where
        next_term_start >= {{ add_days(-var('gap_days'), 'ends_on') }}
        and (known_to is null or known_to > known_from)
),

ends_known as (
    select
        lines.customer_id,
        ended_apart.line_id,
        ended_apart.ends_on,
        ended_apart.known_from,
        ended_apart.known_to
    from ended_apart
    inner join (
        select distinct
            customer_id,
            line_id
        from successors_possible
    ) as lines on ended_apart.line_id = lines.line_id
),

-- What follows another line by a link that holds, or never begins, stops none.
nexts_spent as (
    select
        lines.customer_id,
        linked.next_line_id,
        greatest(lines.known_from, linked.known_from) as known_from,
        least(lines.known_to, linked.known_to, linked.preceded_from) as known_to
    from linked
    inner join lines
        on
            linked.line_id = lines.line_id
            and linked.next_term_start > lines.term_start
            and {{ is_known_together('lines', 'linked') }}
    union all
    select
        lines.customer_id,
        lines.line_id as next_line_id,
        greatest(lines.known_from, ended_apart.known_from) as known_from,
        least(lines.known_to, ended_apart.known_to) as known_to
    from lines
    inner join ended_apart
        on
            lines.line_id = ended_apart.line_id
            and lines.term_start >= ended_apart.ends_on
            and {{ is_known_together('lines', 'ended_apart') }}
),

-- Who stops whom is chosen anew whenever something of it becomes known.
moments as (
    {% for relation, moment in [
        ('successors_possible', 'known_from'),
        ('successors_possible', 'known_to'),
        ('ends_known', 'known_from'),
        ('ends_known', 'known_to'),
        ('nexts_spent', 'known_from'),
        ('nexts_spent', 'known_to')
    ] -%}
    select
        customer_id,
        {{ moment }} as moment
    from {{ relation }}
    where {{ moment }} is not null
    {{ 'union' if not loop.last }}
    {% endfor %}
),

spans as (
    select
        customer_id,
        moment as known_from,
        lead(moment) over (partition by customer_id order by moment) as known_to
    from moments
),

successors_of_round_1 as (
    select
        possible.line_id,
        possible.term_start,
        possible.next_line_id,
        possible.next_term_start,
        possible.tier,
        possible.ends_on,
        possible.product_key,
        possible.customer_id,
        possible.distance_days,
        spans.known_from,
        spans.known_to
    from successors_possible as possible
    inner join spans
        on
            possible.customer_id = spans.customer_id
            and {{ is_known_at('possible', 'spans.known_from') }}
    where
        not exists (
            select 1 from ends_known
            where
                ends_known.line_id = possible.line_id
                and ends_known.ends_on < possible.ends_on
                and {{ is_known_at('ends_known', 'spans.known_from') }}
        )
        and not exists (
            select 1 from nexts_spent
            where
                nexts_spent.next_line_id = possible.next_line_id
                and {{ is_known_at('nexts_spent', 'spans.known_from') }}
        )
),

{% for round in (1, 2) -%}
ranked_in_round_{{ round }} as (
    select
        *,
        dense_rank() over (
            partition by next_line_id, known_from
            order by tier, distance_days, term_start desc, line_id
        ) as choice_no,
        dense_rank() over (
            partition by customer_id, product_key, next_term_start, known_from
            order by next_line_id
        ) as turn_no
    from successors_of_round_{{ round }}
),

{% if not loop.last -%}
-- A line that an earlier one has stopped no longer runs: the later one stops another.
successors_of_round_{{ round + 1 }} as (
    select * from successors_of_round_{{ round }} as successors
    where
        not exists (
            select 1 from ranked_in_round_{{ round }} as taken
            where
                taken.choice_no = taken.turn_no
                and taken.line_id = successors.line_id
                and taken.next_term_start < successors.next_term_start
                and taken.known_from = successors.known_from
        )
),

{% endif -%}
{% endfor -%}
chosen as (
    select
        *,
        lag(known_to) over stop as known_to_before
    from ranked_in_round_2
    where choice_no = turn_no
    window stop as (partition by line_id, ends_on, next_line_id order by known_from)
),

-- A choice that stays from one span to the next is one.
chosen_in_runs as (
    select
        *,
        sum(case when known_to_before = known_from then 0 else 1 end) over (
            partition by line_id, ends_on, next_line_id
            order by known_from
            rows between unbounded preceding and current row
        ) as run_no
    from chosen
),

stopped as (
    select
        line_id,
        ends_on,
        'succeeded' as end_reason,
        next_line_id,
        min(known_from) as known_from,
        case when count(known_to) = count(*) then max(known_to) end as known_to
    from chosen_in_runs
    group by line_id, ends_on, next_line_id, run_no
)

select * from stopped
