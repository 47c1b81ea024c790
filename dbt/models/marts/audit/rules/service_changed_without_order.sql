with

versions as (
    select * from {{ ref('stg_orders__services') }}
),

services as (
    select * from {{ ref('int_services_audited') }}
),

found as (
    select * from {{ ref('service_other_than_bought') }}
),

followed as (
    select
        *,
        lag(quantity) over (partition by service_id order by known_from) as quantity_before,
        lag(ends_on) over (partition by service_id order by known_from) as ends_on_before,
        lag(order_line_id) over (partition by service_id order by known_from) as line_before,
        row_number() over (partition by service_id order by known_from) as version_no
    from versions
),

-- A change that leads to what was bought has its order; the last that leads away has none.
last_changes as (
    select
        service_id,
        max(known_from) as known_from
    from followed
    where
        version_no > 1
        and (quantity != quantity_before or ends_on > ends_on_before)
        and coalesce(order_line_id, '') = coalesce(line_before, '')
    group by service_id
),

service_changed_without_order as (
    select
        services.customer_id,
        services.line_id,
        'services' as entity,
        services.service_id as entity_key,
        {{ company_date('last_changes.known_from') }} as happened_on,
        'Changed from ' || {{ plain_number('followed.quantity_before') }} || ' until '
        || coalesce(cast(followed.ends_on_before as varchar), 'no end') || ' to '
        || {{ plain_number('followed.quantity') }} || ' until '
        || coalesce(cast(followed.ends_on as varchar), 'no end') || '.' as detail
    from services
    inner join last_changes on services.service_id = last_changes.service_id
    inner join followed
        on
            last_changes.service_id = followed.service_id
            and last_changes.known_from = followed.known_from
    where
        services.order_line_id is null
        or exists (select 1 from found where found.entity_key = services.service_id)
)

select * from service_changed_without_order
