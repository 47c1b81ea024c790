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
        terms.term_id,
        terms.due_date,
        coalesce(terms.due_arr, 0) as due_arr,
        successors.line_id as next_line_id,
        successors.order_id as next_order_id,
        successors.previous_order_id as next_previous_order_id,
        successors.term_start as next_term_start,
        successors.closed_on as next_closed_on,
        cast(
            successors.contract_arr
            * case
                when successors.currency = terms.currency then terms.rate else successors.rate
            end as decimal(38, 10)
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
),

-- A line that follows several terms serves them in due order; what is left over goes to the first.
linked_served as (
    select
        *,
        row_number() over (partition by next_line_id order by due_date, term_id) as turn_no,
        sum(due_arr) over (partition by next_line_id) as demand_arr,
        coalesce(
            sum(due_arr) over (
                partition by next_line_id
                order by due_date, term_id
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as served_arr
    from linked_pairs
),

linked_taken as (
    select
        *,
        greatest(least(due_arr, coalesce(next_arr, 0) - served_arr), 0)
        + case when turn_no = 1 then greatest(coalesce(next_arr, 0) - demand_arr, 0) else 0 end
            as renewed_arr
    from linked_served
),

linked_matches as (
    select
        term_id,
        next_line_id,
        next_order_id,
        next_previous_order_id,
        next_term_start,
        next_closed_on,
        known_from,
        sum(renewed_arr) over (partition by term_id) as renewed_arr,
        row_number() over (
            partition by term_id
            order by renewed_arr desc, next_term_start, next_line_id
        ) as match_no
    from linked_taken
    where renewed_arr > 0 or turn_no = 1
),

lines_spent_by_link as (
    select distinct linked.next_line_id
    from linked
    inner join lines on linked.line_id = lines.line_id
),

unlinked_pairs as (
    select
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
        cast(
            successors.contract_arr
            * case
                when successors.currency = terms.currency then terms.rate else successors.rate
            end as decimal(38, 10)
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
    left join linked_matches on terms.term_id = linked_matches.term_id
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
        count(*) over (partition by term_id) as choice_count,
        count(*) over (partition by next_line_id) as rival_count
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

{% for round in range(1, 7) %}
asked_in_round_{{ round }} as (
    select
        *,
        row_number() over (
            partition by term_id
            order by tier, distance_days, next_term_start, next_line_id
        ) as choice_no
    from pairs_of_round_{{ round }}
),

answered_in_round_{{ round }} as (
    select
        *,
        row_number() over (partition by next_line_id order by due_date, term_id) as turn_no,
        sum(due_arr) over (partition by next_line_id) as demand_arr,
        coalesce(
            sum(due_arr) over (
                partition by next_line_id
                order by due_date, term_id
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as served_arr
    from asked_in_round_{{ round }}
    where choice_no = 1
),
{% if not loop.last %}
pairs_of_round_{{ round + 1 }} as (
    select pairs_of_round_{{ round }}.*
    from pairs_of_round_{{ round }}
    left join answered_in_round_{{ round }} as answered
        on
            pairs_of_round_{{ round }}.term_id = answered.term_id
            and pairs_of_round_{{ round }}.next_line_id = answered.next_line_id
            and answered.turn_no > 1
            and answered.served_arr >= coalesce(answered.next_arr, 0)
    where answered.term_id is null
),
{% else %}
unlinked_matches as (
    select
        term_id,
        next_line_id,
        next_order_id,
        next_previous_order_id,
        next_term_start,
        next_closed_on,
        known_from,
        greatest(least(due_arr, coalesce(next_arr, 0) - served_arr), 0)
        + case when turn_no = 1 then greatest(coalesce(next_arr, 0) - demand_arr, 0) else 0 end
            as renewed_arr
    from answered_in_round_{{ round }}
    where turn_no = 1 or served_arr < coalesce(next_arr, 0)
    union all
    select
        term_id,
        next_line_id,
        next_order_id,
        next_previous_order_id,
        next_term_start,
        next_closed_on,
        known_from,
        coalesce(next_arr, 0) as renewed_arr
    from uncontested
),
{% endif %}
{% endfor %}
matched as (
    select
        term_id,
        'link' as matched_by,
        next_line_id,
        next_order_id,
        next_previous_order_id,
        next_term_start,
        next_closed_on,
        known_from,
        renewed_arr
    from linked_matches
    where match_no = 1
    union all
    select
        term_id,
        'product' as matched_by,
        next_line_id,
        next_order_id,
        next_previous_order_id,
        next_term_start,
        next_closed_on,
        known_from,
        renewed_arr
    from unlinked_matches
)

select * from matched
