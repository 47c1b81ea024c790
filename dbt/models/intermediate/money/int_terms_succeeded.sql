with

terms as (
    select * from {{ ref('int_terms_due') }}
    where due_date is not null and not goes_on
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

rates_at_start as (
    {{ rates_of_days(ref('int_exchange_rates_first_known'), 'lines', 'currency', 'term_start') }}
),

-- What a successor is worth beside the term due: in the term's currency at the term's rate; in
-- another currency, by both rates of their own days.
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

linked_pairs as (
    select
        terms.judged_by,
        terms.term_id,
        terms.due_date,
        coalesce(terms.due_arr, 0) as due_arr,
        successors.line_id as next_line_id,
        successors.order_id as next_order_id,
        successors.previous_order_id as next_previous_order_id,
        successors.term_start as next_term_start,
        successors.closed_on as next_closed_on,
        coalesce(
            cast(
                successors.contract_arr
                * case
                    when successors.currency = terms.currency then terms.rate
                    else successors.rate
                end as decimal(38, 10)
            ), 0
        ) as next_arr,
        greatest(terms.known_from, linked.known_from, successors.known_from) as known_from
    from terms
    inner join linked
        on
            terms.line_id = linked.line_id
            and {{ is_known_at('linked', 'terms.judged_at') }}
    inner join successors
        on
            linked.next_line_id = successors.line_id
            and {{ is_known_at('successors', 'terms.judged_at') }}
            and (terms.judged_by = 'in_time' or successors.closed_on <= terms.matures_on)
),

linked_queued as (
    select
        *,
        {{ queue_for_successor() }}
    from linked_pairs
),

linked_served as (
    select
        *,
        {{ arr_served() }} as served_arr
    from linked_queued
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
        known_from,
        sum(served_arr) over (partition by judged_by, term_id) as renewed_arr,
        row_number() over (
            partition by judged_by, term_id
            order by served_arr desc, next_term_start, next_line_id
        ) as match_no
    from linked_served
    where served_arr > 0 or turn_no = 1
),

lines_spent_by_link as (
    select distinct linked.next_line_id
    from linked
    inner join lines on linked.line_id = lines.line_id
),

unlinked_pairs as (
    select
        terms.judged_by,
        terms.term_id,
        terms.due_date,
        coalesce(terms.due_arr, 0) as due_arr,
        successors.line_id as next_line_id,
        successors.order_id as next_order_id,
        successors.previous_order_id as next_previous_order_id,
        successors.term_start as next_term_start,
        successors.closed_on as next_closed_on,
        case when successors.product_key = terms.product_key then 2 else 3 end as tier,
        abs({{ elapsed_days('terms.due_date', 'successors.term_start') }}) as distance_days,
        coalesce(
            cast(
                successors.contract_arr
                * case
                    when successors.currency = terms.currency then terms.rate
                    else successors.rate
                end as decimal(38, 10)
            ), 0
        ) as next_arr,
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
            and (terms.judged_by = 'in_time' or successors.closed_on <= terms.matures_on)
    left join linked_matches
        on
            terms.judged_by = linked_matches.judged_by
            and terms.term_id = linked_matches.term_id
    left join lines_spent_by_link on successors.line_id = lines_spent_by_link.next_line_id
    where
        (
            successors.product_key = terms.product_key
            or successors.product_kind = terms.product_kind
        )
        and linked_matches.term_id is null
        and lines_spent_by_link.next_line_id is null
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
-- due order while it has ARR, who is refused asks for the next one.
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

queued_in_round_{{ round }} as (
    select
        *,
        {{ queue_for_successor() }}
    from asked_in_round_{{ round }}
    where choice_no = 1
),
{% if not loop.last %}
pairs_of_round_{{ round + 1 }} as (
    select pairs.*
    from pairs_of_round_{{ round }} as pairs
    left join queued_in_round_{{ round }} as refused
        on
            pairs.judged_by = refused.judged_by
            and pairs.term_id = refused.term_id
            and pairs.next_line_id = refused.next_line_id
            and refused.turn_no > 1
            and refused.arr_before >= refused.next_arr
    where refused.term_id is null
),
{% endif %}
{% endfor %}
{% set columns = 'judged_by, term_id, next_line_id, next_order_id, next_previous_order_id,
        next_term_start, next_closed_on, known_from' -%}
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
    where turn_no = 1 or arr_before < next_arr
    union all
    select
        {{ columns }},
        'product' as matched_by,
        next_arr as renewed_arr
    from uncontested
)

select * from matched
