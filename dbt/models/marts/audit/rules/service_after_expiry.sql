with

services as (
    select * from {{ ref('int_services_audited') }}
),

lines as (
    select * from {{ ref('int_lines_audited') }}
    where is_approved
),

-- Still on, or used, after the end of its line and of every line of the product.
last_days as (
    select
        *,
        case when is_active then {{ as_of_date() }} else last_used_on end as last_day
    from services
    where is_active or last_used_on is not null
),

service_after_expiry as (
    select
        customer_id,
        line_id,
        'services' as entity,
        service_id as entity_key,
        line_ends_on as happened_on,
        case when is_active then 'Active' else 'Used on ' || cast(last_used_on as varchar) end
        || ', and its line ended on ' || cast(line_ends_on as varchar) || '.' as detail
    from last_days
    where
        {{ add_days(var('audit_expiry_days'), 'line_ends_on') }} <= last_day
        and not is_order_stopped
        and not exists (
            select 1 from lines
            where
                lines.customer_id = last_days.customer_id
                and lines.product_id = last_days.product_id
                and lines.term_start <= last_days.last_day
                and (
                    lines.ends_on is null
                    or {{ add_days(var('audit_expiry_days'), 'lines.ends_on') }}
                    > last_days.last_day
                )
        )
)

select * from service_after_expiry
