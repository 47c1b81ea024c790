with

leads as (
    {{ current_rows(ref('stg_crm__leads')) }}
),

opportunities as (
    {{ current_rows(ref('stg_crm__opportunities')) }}
),

quotes as (
    {{ current_rows(ref('stg_crm__quotes')) }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

customers as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

-- Of several quotes of an opportunity the last before the win led to it.
quotes_followed as (
    select
        opportunities.customer_id,
        quotes.created_at,
        opportunities.closed_at,
        coalesce(opportunities.is_won, false)
        and row_number() over (
            partition by quotes.opportunity_id
            order by
                case when quotes.created_at > opportunities.closed_at then 1 else 0 end,
                quotes.created_at desc,
                quotes.quote_id desc
        ) = 1 as is_converted
    from quotes
    left join opportunities on quotes.opportunity_id = opportunities.opportunity_id
),

steps as (
    select
        'lead' as stage,
        converted_customer_id as customer_id,
        created_at as entered_at,
        converted_at,
        converted_at is not null or converted_customer_id is not null as is_converted
    from leads
    union all
    select
        'opportunity' as stage,
        customer_id,
        created_at as entered_at,
        closed_at as converted_at,
        coalesce(is_won, false) as is_converted
    from opportunities
    union all
    select
        'quote' as stage,
        customer_id,
        created_at as entered_at,
        closed_at as converted_at,
        is_converted
    from quotes_followed
    union all
    select
        'order' as stage,
        customer_id,
        ordered_at as entered_at,
        approved_at as converted_at,
        is_approved as is_converted
    from orders
    where kind = 'formal'
),

dated as (
    select
        steps.stage,
        {{ month_start(company_date('steps.entered_at')) }} as month_start,
        coalesce(customers.segment, 'unknown') as segment,
        case when steps.is_converted then 1 else 0 end as conversion,
        case
            when steps.is_converted
                then {{ elapsed_days(
                    company_date('steps.entered_at'), company_date('steps.converted_at')
                ) }}
        end as days_to_convert
    from steps
    left join customers_resolved on steps.customer_id = customers_resolved.customer_id
    left join customers on customers_resolved.resolved_customer_id = customers.customer_id
    where steps.entered_at <= {{ as_of_end() }}
),

dated_in_segments as (
    select * from dated
    union all
    select
        stage,
        month_start,
        'all' as segment,
        conversion,
        days_to_convert
    from dated
),

sales_funnel_monthly as (
    select
        month_start,
        stage,
        segment,
        count(*) as entered_count,
        cast(sum(conversion) as bigint) as converted_count,
        {{ divide('sum(conversion)', 'count(*)', 'double') }} as conversion_ratio,
        cast(median(days_to_convert) as double) as median_days
    from dated_in_segments
    group by month_start, stage, segment
)

select * from sales_funnel_monthly
