with

lines as (
    select * from {{ ref('int_lines_audited') }}
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

-- Where the last day of sale is not told, the day the closing became known.
products_closed as (
    select
        product_id,
        name,
        coalesce(closed_on, {{ company_date('known_from') }}) as closed_on
    from products
    where status = 'closed' or closed_on is not null
),

closed_product_sold as (
    select
        lines.customer_id,
        lines.line_id,
        lines.entity,
        lines.entity_key,
        lines.sold_on as happened_on,
        products_closed.name || ' was sold on ' || cast(lines.sold_on as varchar)
        || ', closed on ' || cast(products_closed.closed_on as varchar) || '.' as detail
    from lines
    inner join products_closed
        on
            lines.product_id = products_closed.product_id
            and lines.sold_on > products_closed.closed_on
    where lines.is_approved
)

select * from closed_product_sold
