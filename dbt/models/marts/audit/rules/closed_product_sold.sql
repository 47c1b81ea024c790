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

-- Who has the product may go on with it.
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
    where
        lines.is_approved
        and not exists (
            select 1 from lines as earlier
            where
                earlier.customer_id = lines.customer_id
                and earlier.product_id = lines.product_id
                and earlier.is_approved
                and earlier.term_start < lines.term_start
                and (
                    earlier.ends_on is null
                    or {{ add_days(var('gap_days'), 'earlier.ends_on') }} >= lines.term_start
                )
        )
)

select * from closed_product_sold
