with

lines as (
    select * from {{ ref('int_lines_audited') }}
),

prices as (
    select * from {{ ref('stg_orders__product_prices') }}
    where known_to is null and vanished_at is null
),

-- The list may state a price a month and the line one for the term; it may be the list of the day
-- of the order or of the start. A one-off price of a line without an end is on no list.
listed as (
    select
        lines.line_id,
        max(prices.price) as price,
        max(
            case
                when
                    lines.unit_price = prices.price
                    or abs(lines.unit_price - prices.price * lines.term_months) < 0.01
                    then 1
                else 0
            end
        ) as is_listed
    from lines
    inner join prices
        on
            lines.product_id = prices.product_id
            and lines.currency = prices.currency
            and prices.valid_from <= greatest(lines.sold_on, lines.term_start)
            and (prices.valid_to is null or prices.valid_to > lines.sold_on)
    where lines.term_months is not null or lines.product_kind in ('one_time', 'usage')
    group by lines.line_id
),

price_other_than_listed as (
    select
        lines.customer_id,
        lines.line_id,
        lines.entity,
        lines.entity_key,
        lines.sold_on as happened_on,
        'Sold at ' || {{ plain_number('lines.unit_price') }} || ' ' || lines.currency
        || ' without a discount, listed at ' || {{ plain_number('listed.price') }} || '.' as detail
    from lines
    inner join listed on lines.line_id = listed.line_id and listed.is_listed = 0
    where lines.is_approved and not lines.is_trial and not lines.has_discount
)

select * from price_other_than_listed
