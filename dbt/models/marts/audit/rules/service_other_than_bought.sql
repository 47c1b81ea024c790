with

services as (
    select * from {{ ref('int_services_audited') }}
),

lines as (
    select * from {{ ref('int_lines_audited') }}
    where is_approved
),

-- The end or quantity of its own line; else that of another line of the product that goes on, or
-- what all of them sum up to.
compared as (
    select
        *,
        quantity = line_quantity or quantity = running_quantity as is_quantity_bought,
        ends_on in (line_term_end, line_ends_on)
        or is_auto_renew
        or exists (
            select 1 from lines
            where
                lines.customer_id = services.customer_id
                and lines.product_id = services.product_id
                and services.ends_on in (lines.term_end, lines.ends_on)
        ) as is_end_bought
    from services
    where state != 'cancelled'
),

service_other_than_bought as (
    select
        customer_id,
        line_id,
        'services' as entity,
        service_id as entity_key,
        changed_on as happened_on,
        case
            when not is_end_bought
                then
                    'Ends on ' || cast(ends_on as varchar) || ', bought until '
                    || coalesce(cast(line_ends_on as varchar), 'no end') || '. '
            else ''
        end
        || case
            when not is_quantity_bought
                then
                    'Quantity ' || {{ plain_number('quantity') }} || ', bought '
                    || {{ plain_number('line_quantity') }} || '.'
            else ''
        end as detail
    from compared
    where not is_end_bought or not is_quantity_bought
)

select * from service_other_than_bought
