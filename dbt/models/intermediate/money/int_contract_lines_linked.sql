with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

linked_by_line as (
    select
        previous_line_id as line_id,
        line_id as next_line_id,
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
-- same product there, else one of the same kind. A line without a counterpart is not replaced.
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
                or lines.product_kind = ordered_products.product_kind
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
        counterparts_ranked.line_id,
        counterparts_ranked.next_line_id,
        counterparts_ranked.next_term_start,
        counterparts_ranked.next_closed_on,
        counterparts_ranked.is_next_trial,
        counterparts_ranked.known_from,
        counterparts_ranked.known_to
    from counterparts_ranked
    left join linked_by_line on counterparts_ranked.line_id = linked_by_line.line_id
    where
        counterparts_ranked.tier = counterparts_ranked.best_tier
        and counterparts_ranked.tier = counterparts_ranked.best_next_tier
        and linked_by_line.line_id is null
),

linked as (
    select
        *,
        'line' as linked_by
    from linked_by_line
    union all
    select
        *,
        'order' as linked_by
    from linked_by_order
)

select * from linked
