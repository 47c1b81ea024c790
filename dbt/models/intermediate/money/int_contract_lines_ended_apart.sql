with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

linked as (
    select * from {{ ref('int_contract_lines_linked') }}
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
        {{ period_end_after(
            'term_start', 'whole_months', 'term_days', company_date('non_renewal_noted_at')
        ) }} as ends_on,
        'refused' as end_reason,
        cast(null as varchar) as next_line_id,
        greatest(known_from, non_renewal_noted_at) as known_from,
        known_to
    from lines
    where is_auto_renew and non_renewal_noted_at is not null
),

lines_linked as (
    select
        lines.line_id,
        lines.is_trial,
        lines.is_auto_renew,
        lines.term_start,
        lines.whole_months,
        lines.term_days,
        lines.grace_days,
        linked.next_line_id,
        linked.next_term_start,
        linked.next_closed_on,
        linked.is_next_trial,
        greatest(lines.known_from, linked.known_from) as known_from,
        least(lines.known_to, linked.known_to) as known_to
    from linked
    inner join lines
        on
            linked.line_id = lines.line_id
            and {{ is_known_together('lines', 'linked') }}
),

ended_by_link as (
    select
        line_id,
        next_term_start as ends_on,
        'replaced' as end_reason,
        next_line_id,
        known_from,
        known_to
    from lines_linked
    where not is_next_trial or is_trial
),

-- A line that goes on by itself stops at the end of a period where its successor was closed by
-- then and starts within the grace after it.
ended_by_early_link as (
    select
        line_id,
        {{ period_end_after(
            'term_start',
            'whole_months',
            'term_days',
            'greatest('
            ~ add_days('-grace_days - 1', 'next_term_start')
            ~ ', ' ~ add_days(-1, 'next_closed_on') ~ ')'
        ) }} as ends_on,
        'succeeded' as end_reason,
        next_line_id,
        known_from,
        known_to
    from lines_linked
    where is_auto_renew and not is_next_trial
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

-- What was changed again before its end came tells the same end a second time.
ended_once as (
    select distinct * from ended_apart
    where known_to is null or known_to > known_from
)

select * from ended_once
