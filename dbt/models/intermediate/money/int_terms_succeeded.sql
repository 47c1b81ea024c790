with

terms as (
    select * from {{ ref('int_terms_due') }}
    where due_date is not null and not goes_on
),

terms_replaced as (
    select
        night_end,
        line_id,
        min(period_start) as term_start,
        min(first_known_at) as known_from
    from {{ ref('int_terms_due') }}
    group by night_end, line_id
),

lines as (
    select
        *,
        coalesce(12 * contract_mrr, 0) as contract_arr
    from {{ ref('int_contract_lines_priced') }}
    where is_paid
),

linked as (
    select * from {{ ref('int_contract_lines_linked') }}
),

first_ends as (
    select * from {{ ref('int_contract_lines_first_ended') }}
),

rates_at_start as (
    {{ rates_of_days(ref('int_exchange_rates_first_known'), 'lines', 'currency', 'term_start') }}
),

-- While it is known that a line ends before it starts, it follows nothing.
never_begun as (
    select
        lines.line_id,
        greatest(lines.known_from, first_ends.known_from) as known_from,
        least(lines.known_to, first_ends.known_to) as known_to
    from lines
    inner join first_ends
        on
            lines.line_id = first_ends.line_id
            and lines.term_start >= first_ends.ends_on
            and {{ is_known_together('lines', 'first_ends') }}
),

-- What a line is worth beside the term due: in the term's currency at the term's rate; in another
-- currency, by both rates of their own days.
successors as (
    select
        lines.*,
        rates_at_start.rate
    from lines
    left join rates_at_start
        on
            lines.currency = rates_at_start.currency
            and lines.term_start = rates_at_start.rate_day
),

{% set is_begun -%}
not exists (
            select 1 from never_begun
            where
                successors.line_id = never_begun.line_id
                and {{ is_known_at('never_begun', 'terms.judged_at') }}
        )
{%- endset -%}
{% set next_rate
    = 'case when successors.currency = terms.currency then terms.rate else successors.rate end' -%}
linked_pairs as (
    select
        terms.judged_by,
        terms.term_id,
        terms.due_date,
        terms.judged_at,
        terms.final_at,
        terms.is_known_late,
        terms.first_known_at,
        coalesce(terms.due_arr, 0) as due_arr,
        successors.line_id as next_line_id,
        successors.order_id as next_order_id,
        successors.previous_order_id as next_previous_order_id,
        successors.term_start as next_term_start,
        successors.closed_on as next_closed_on,
        coalesce(cast(successors.contract_arr * {{ next_rate }} as decimal(38, 10)), 0)
            as next_arr,
        successors.contract_arr > 0 and successors.rate is null as is_next_rate_missing,
        greatest(terms.known_from, linked.known_from, successors.known_from) as known_from
    from terms
    inner join linked
        on
            terms.line_id = linked.line_id
            and {{ is_known_at('linked', 'terms.judged_at') }}
            and (linked.preceded_from is null or linked.preceded_from > terms.judged_at)
    inner join successors
        on
            linked.next_line_id = successors.line_id
            and {{ is_known_at('successors', 'terms.judged_at') }}
            and (terms.judged_by != 'tonight' or successors.closed_on <= terms.matures_on)
    where {{ is_begun }}
),

linked_asked as (
    select
        *,
        min(judged_at) over (partition by judged_by, next_line_id) as first_judged_at
    from linked_pairs
),

linked_queued as (
    select
        *,
        {{ queue_for_successor() }}
    from linked_asked
),

linked_served as (
    select
        *,
        {{ arr_served() }} as served_arr
    from linked_queued
    where {{ is_served() }}
),

linked_matches as (
    select
        judged_by,
        term_id,
        next_line_id,
        next_order_id,
        next_previous_order_id,
        next_term_start,
        next_closed_on,
        is_next_rate_missing,
        known_from,
        sum(served_arr) over (partition by judged_by, term_id) as renewed_arr,
        row_number() over (
            partition by judged_by, term_id
            order by served_arr desc, next_term_start, next_line_id
        ) as match_no
    from linked_served
),

lines_spent_by_link as (
    select
        terms_replaced.night_end,
        linked.next_line_id,
        greatest(linked.known_from, terms_replaced.known_from) as known_from,
        linked.preceded_from as known_to
    from linked
    inner join terms_replaced
        on
            linked.line_id = terms_replaced.line_id
            and linked.next_term_start > terms_replaced.term_start
),

unlinked_pairs as (
    select
        terms.judged_by,
        terms.term_id,
        terms.due_date,
        terms.judged_at,
        terms.final_at,
        terms.is_known_late,
        terms.first_known_at,
        coalesce(terms.due_arr, 0) as due_arr,
        successors.line_id as next_line_id,
        successors.order_id as next_order_id,
        successors.previous_order_id as next_previous_order_id,
        successors.term_start as next_term_start,
        successors.closed_on as next_closed_on,
        case when successors.product_key = terms.product_key then 2 else 3 end as tier,
        abs({{ elapsed_days('terms.due_date', 'successors.term_start') }}) as distance_days,
        coalesce(cast(successors.contract_arr * {{ next_rate }} as decimal(38, 10)), 0)
            as next_arr,
        successors.contract_arr > 0 and successors.rate is null as is_next_rate_missing,
        greatest(terms.known_from, successors.known_from) as known_from
    from terms
    inner join successors
        on
            terms.customer_id = successors.customer_id
            and terms.line_id != successors.line_id
            and successors.term_start > terms.period_start
            and successors.term_start
            >= {{ add_days(-var('successor_window_days'), 'terms.due_date') }}
            and successors.term_start <= terms.matures_on
            and {{ is_known_at('successors', 'terms.judged_at') }}
            and (terms.judged_by != 'tonight' or successors.closed_on <= terms.matures_on)
    left join linked_matches
        on
            terms.judged_by = linked_matches.judged_by
            and terms.term_id = linked_matches.term_id
    where
        (
            successors.product_key = terms.product_key
            or {{ is_same_kind('successors', 'terms') }}
        )
        and linked_matches.term_id is null
        and {{ is_begun }}
        and not exists (
            select 1 from lines_spent_by_link
            where
                successors.line_id = lines_spent_by_link.next_line_id
                and terms.night_end = lines_spent_by_link.night_end
                and {{ is_known_at('lines_spent_by_link', 'terms.judged_at') }}
        )
),

pairs_counted as (
    select
        *,
        count(*) over (partition by judged_by, term_id) as choice_count,
        count(*) over (partition by judged_by, next_line_id) as rival_count
    from unlinked_pairs
),

uncontested as (
    select * from pairs_counted
    where choice_count = 1 and rival_count = 1
),

-- The rest is settled in rounds: every term asks for its best line, every line serves who asks in
-- turn while it has ARR, who is refused asks for the next one.
pairs_of_round_1 as (
    select * from pairs_counted
    where choice_count > 1 or rival_count > 1
),

{% set rounds = 6 -%}
{% for round in range(1, rounds + 1) %}
asked_in_round_{{ round }} as (
    select
        *,
        row_number() over (
            partition by judged_by, term_id
            order by tier, distance_days, next_term_start, next_line_id
        ) as choice_no
    from pairs_of_round_{{ round }}
),

first_asked_in_round_{{ round }} as (
    select
        *,
        min(judged_at) over (partition by judged_by, next_line_id) as first_judged_at
    from asked_in_round_{{ round }}
    where choice_no = 1
),

queued_in_round_{{ round }} as (
    select
        *,
        {{ queue_for_successor() }}
    from first_asked_in_round_{{ round }}
),
{% if not loop.last %}
pairs_of_round_{{ round + 1 }} as (
    select pairs.*
    from pairs_of_round_{{ round }} as pairs
    where
        not exists (
            select 1 from queued_in_round_{{ round }} as asked
            where
                asked.judged_by = pairs.judged_by
                and asked.term_id = pairs.term_id
                and asked.next_line_id = pairs.next_line_id
                and not {{ is_served() }}
        )
),
{% endif %}
{% endfor %}
{% set columns = 'judged_by, term_id, next_line_id, next_order_id, next_previous_order_id,
        next_term_start, next_closed_on, is_next_rate_missing, known_from' -%}
matched as (
    select
        {{ columns }},
        'link' as matched_by,
        renewed_arr
    from linked_matches
    where match_no = 1
    union all
    select
        {{ columns }},
        'product' as matched_by,
        {{ arr_served() }} as renewed_arr
    from queued_in_round_{{ rounds }}
    where {{ is_served() }}
    union all
    select
        {{ columns }},
        'product' as matched_by,
        next_arr as renewed_arr
    from uncontested
)

select * from matched
