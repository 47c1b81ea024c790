with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

linked_by_line as (
    select
        previous_line_id as line_id,
        line_id as next_line_id,
        order_id as next_order_id,
        term_start as next_term_start,
        closed_on as next_closed_on,
        is_trial as is_next_trial,
        known_from,
        known_to
    from lines
    where previous_line_id is not null and previous_line_id != line_id
),

ordered_products as (
    select distinct
        line_id,
        order_id,
        product_key,
        product_kind
    from lines
    where order_id is not null
),

-- An order that names the order it replaces or renews: each of its lines follows the line of the
-- same product there, else one of the same kind. A line without a counterpart is not replaced, and
-- one that a line of that order names is replaced by that line.
counterparts as (
    select
        ordered_products.line_id,
        lines.line_id as next_line_id,
        lines.order_id as next_order_id,
        lines.term_start as next_term_start,
        lines.closed_on as next_closed_on,
        lines.is_trial as is_next_trial,
        case when ordered_products.product_key = lines.product_key then 1 else 2 end as tier,
        lines.known_from,
        lines.known_to
    from lines
    inner join ordered_products
        on
            lines.previous_order_id = ordered_products.order_id
            and lines.order_id != ordered_products.order_id
            and (
                lines.product_key = ordered_products.product_key
                or {{ is_same_kind('lines', 'ordered_products') }}
            )
    where lines.previous_line_id is null
),

counterparts_ranked as (
    select
        *,
        min(tier) over (partition by line_id, next_order_id) as best_tier,
        min(tier) over (partition by next_line_id) as best_next_tier
    from counterparts
),

linked_by_order as (
    select
        line_id,
        next_line_id,
        next_order_id,
        next_term_start,
        next_closed_on,
        is_next_trial,
        known_from,
        known_to
    from counterparts_ranked
    where
        tier = best_tier
        and tier = best_next_tier
        and not exists (
            select 1 from linked_by_line
            where
                linked_by_line.line_id = counterparts_ranked.line_id
                and linked_by_line.next_order_id = counterparts_ranked.next_order_id
        )
),

linked as (
    select * from linked_by_line
    union all
    select * from linked_by_order
),

-- A line is taken over once, by what starts first; who names it later follows what took it over.
preceded as (
    select
        linked.line_id,
        linked.next_line_id,
        min(earlier.known_from) as preceded_from
    from linked
    inner join linked as earlier
        on
            linked.line_id = earlier.line_id
            and linked.next_term_start > earlier.next_term_start
    where not earlier.is_next_trial
    group by linked.line_id, linked.next_line_id
),

linked_in_turn as (
    select
        linked.*,
        preceded.preceded_from
    from linked
    left join preceded
        on
            linked.line_id = preceded.line_id
            and linked.next_line_id = preceded.next_line_id
)

select * from linked_in_turn
