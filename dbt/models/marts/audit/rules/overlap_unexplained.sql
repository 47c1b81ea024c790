with

lines as (
    select * from {{ ref('int_lines_audited') }}
),

linked as (
    {{ current_rows(ref('int_contract_lines_linked')) }}
),

-- Paid lines of one product; what stands on one order was bought together.
pairs as (
    select
        later.customer_id,
        later.line_id,
        later.entity,
        later.entity_key,
        later.term_start,
        later.product_id,
        earlier.entity_key as earlier_key,
        earlier.ends_on
    from lines as later
    inner join lines as earlier
        on
            later.customer_id = earlier.customer_id
            and later.product_id = earlier.product_id
            and coalesce(later.order_id, later.line_id)
            != coalesce(earlier.order_id, earlier.line_id)
            and (earlier.term_start, earlier.line_id) < (later.term_start, later.line_id)
            and (earlier.ends_on is null or earlier.ends_on > later.term_start)
    where
        later.is_paid_term
        and earlier.is_paid_term
        and not exists (
            select 1 from linked
            where linked.line_id = earlier.line_id and linked.next_line_id = later.line_id
        )
),

overlap_unexplained as (
    select
        customer_id,
        line_id,
        entity,
        entity_key,
        term_start as happened_on,
        'Begins on ' || cast(term_start as varchar) || ' while ' || max(earlier_key)
        || ' of the same product goes on, and neither names the other.' as detail
    from pairs
    group by customer_id, line_id, entity, entity_key, term_start
)

select * from overlap_unexplained
