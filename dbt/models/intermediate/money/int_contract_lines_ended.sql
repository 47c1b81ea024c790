with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

{% set moments = {
    'cancelled_at': 'cancelled',
    'order_cancelled_at': 'cancelled',
    'refunded_at': 'refunded',
    'vanished_at': 'vanished',
} -%}
ended_by_themselves as (
    {% for moment, reason in moments.items() %}
    select
        line_id,
        {{ company_date(moment) }} as ends_on,
        '{{ reason }}' as end_reason,
        cast(null as varchar) as next_line_id,
        greatest(known_from, {{ moment }}) as known_from,
        known_to
    from lines
    where {{ moment }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- The period in which the customer says that it will not renew is the last.
ended_by_refusal as (
    select
        line_id,
        {{ period_end(
            'term_start',
            'whole_months',
            'term_days',
            periods_ended(
                'term_start', 'whole_months', 'term_days', company_date('non_renewal_noted_at')
            ) ~ ' + 1'
        ) }} as ends_on,
        'refused' as end_reason,
        cast(null as varchar) as next_line_id,
        greatest(known_from, non_renewal_noted_at) as known_from,
        known_to
    from lines
    where is_auto_renew and non_renewal_noted_at is not null
),

linked as (
    select * from {{ ref('int_contract_lines_linked') }}
),

ended_by_link as (
    select
        lines.line_id,
        linked.next_term_start as ends_on,
        'replaced' as end_reason,
        linked.next_line_id,
        greatest(lines.known_from, linked.known_from) as known_from,
        least(lines.known_to, linked.known_to) as known_to
    from linked
    inner join lines
        on
            linked.line_id = lines.line_id
            and {{ is_known_together('lines', 'linked') }}
    where not linked.is_next_trial or lines.is_trial
),

-- A line that goes on by itself stops at the end of a period where its successor was closed by
-- then and starts within the grace after it.
ended_by_early_link as (
    select
        lines.line_id,
        {{ period_end(
            'lines.term_start',
            'lines.whole_months',
            'lines.term_days',
            periods_ended(
                'lines.term_start',
                'lines.whole_months',
                'lines.term_days',
                'greatest('
                ~ add_days('-lines.grace_days - 1', 'linked.next_term_start')
                ~ ', ' ~ add_days(-1, 'linked.next_closed_on') ~ ')'
            ) ~ ' + 1'
        ) }} as ends_on,
        'succeeded' as end_reason,
        linked.next_line_id,
        greatest(lines.known_from, linked.known_from) as known_from,
        least(lines.known_to, linked.known_to) as known_to
    from linked
    inner join lines
        on
            linked.line_id = lines.line_id
            and {{ is_known_together('lines', 'linked') }}
    where lines.is_auto_renew and not linked.is_next_trial
),

ended_apart as (
    select * from ended_by_themselves
    union all
    select * from ended_by_refusal
    union all
    select * from ended_by_link
    union all
    select * from ended_by_early_link
),

lines_linked as (
    select
        linked.next_line_id,
        min(greatest(lines.known_from, linked.known_from)) as known_from
    from linked
    inner join lines
        on
            linked.line_id = lines.line_id
            and {{ is_known_together('lines', 'linked') }}
    where
        linked.next_term_start > lines.term_start
        and (linked.preceded_from is null or linked.preceded_from > linked.known_from)
    group by linked.next_line_id
),

never_begun as (
    select
        lines.line_id,
        min(ended_apart.known_from) as known_from
    from lines
    inner join ended_apart
        on
            lines.line_id = ended_apart.line_id
            and lines.term_start >= ended_apart.ends_on
    group by lines.line_id
),

-- Without a link: a later line of the same product (or the next version) that starts in the
-- successor's window of a period's end. Each such line stops one line only, of those that still
-- run: the one whose period ends nearest to its start, the first come first served among equals.
successors_by_product as (
    select
        lines.line_id,
        lines.term_start,
        nexts.line_id as next_line_id,
        nexts.term_start as next_term_start,
        case when lines.product_key = nexts.product_key then 1 else 2 end as tier,
        {{ period_end(
            'lines.term_start',
            'lines.whole_months',
            'lines.term_days',
            periods_ended(
                'lines.term_start',
                'lines.whole_months',
                'lines.term_days',
                add_days('-lines.grace_days - 1', 'nexts.term_start')
            ) ~ ' + 1'
        ) }} as ends_on,
        nexts.product_key,
        nexts.customer_id,
        greatest(lines.known_from, nexts.known_from) as known_from,
        least(
            lines.known_to, nexts.known_to, lines_linked.known_from, never_begun.known_from
        ) as known_to
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
    left join lines_linked on nexts.line_id = lines_linked.next_line_id
    left join never_begun on nexts.line_id = never_begun.line_id
    where
        lines.is_auto_renew
        and not lines.is_trial
        and not nexts.is_trial
),

successors_of_round_1 as (
    select
        *,
        abs({{ elapsed_days('ends_on', 'next_term_start') }}) as distance_days
    from successors_by_product as successors
    where
        next_term_start
        >= {{ add_days(-var('successor_window_days'), 'ends_on') }}
        and (known_to is null or known_to > known_from)
        and not exists (
            select 1 from ended_apart
            where
                ended_apart.line_id = successors.line_id
                and ended_apart.ends_on < successors.ends_on
                and ended_apart.known_from <= successors.known_from
        )
),

{% for round in (1, 2) -%}
ranked_in_round_{{ round }} as (
    select
        *,
        dense_rank() over (
            partition by next_line_id
            order by tier, distance_days, term_start desc, line_id
        ) as choice_no,
        dense_rank() over (
            partition by customer_id, product_key, next_term_start
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
                and {{ is_known_at('taken', 'successors.known_from') }}
        )
),

{% endif -%}
{% endfor -%}
ended_by_successor as (
    select
        line_id,
        ends_on,
        'succeeded' as end_reason,
        next_line_id,
        known_from,
        known_to
    from ranked_in_round_2
    where choice_no = turn_no
),

ended_alone as (
    select * from ended_apart
    union all
    select * from ended_by_successor
),

versions_end as (
    select
        line_id,
        ends_on,
        known_from,
        known_to
    from ended_alone
    union all
    select
        line_id,
        term_end as ends_on,
        known_from,
        known_to
    from lines
    where term_end is not null and not is_auto_renew
),

-- An add-on bound to a version ends with it.
ended_with_version as (
    select
        lines.line_id,
        versions_end.ends_on,
        'version_ended' as end_reason,
        cast(null as varchar) as next_line_id,
        greatest(lines.known_from, versions_end.known_from) as known_from,
        least(lines.known_to, versions_end.known_to) as known_to
    from lines
    inner join versions_end
        on
            lines.bound_to_line_id = versions_end.line_id
            and {{ is_known_together('lines', 'versions_end') }}
    where
        lines.is_auto_renew
        or lines.term_end is null
        or versions_end.ends_on < lines.term_end
),

ended as (
    select * from ended_alone
    where known_to is null or known_to > known_from
    union all
    select * from ended_with_version
    where known_to is null or known_to > known_from
)

select distinct * from ended
