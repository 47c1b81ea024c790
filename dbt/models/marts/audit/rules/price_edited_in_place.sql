with

prices as (
    select * from {{ ref('stg_orders__product_prices') }}
),

followed as (
    select
        *,
        lag(price) over (partition by product_id, valid_from order by known_from) as price_before,
        lag(currency) over (partition by product_id, valid_from order by known_from)
            as currency_before
    from prices
),

changed as (
    select
        product_id,
        valid_from,
        max(known_from) as known_from
    from followed
    where price != price_before or currency != currency_before
    group by product_id, valid_from
),

price_edited_in_place as (
    select
        cast(null as varchar) as customer_id,
        cast(null as varchar) as line_id,
        'product_prices' as entity,
        followed.product_id || '|' || cast(followed.valid_from as varchar) as entity_key,
        {{ company_date('followed.known_from') }} as happened_on,
        'The price of ' || followed.product_id || ' from ' || cast(followed.valid_from as varchar)
        || ' was changed from ' || {{ plain_number('followed.price_before') }} || ' '
        || followed.currency_before || ' to ' || {{ plain_number('followed.price') }} || ' '
        || followed.currency || ' instead of a new price.' as detail
    from followed
    inner join changed
        on
            followed.product_id = changed.product_id
            and followed.valid_from = changed.valid_from
            and followed.known_from = changed.known_from
)

select * from price_edited_in_place
