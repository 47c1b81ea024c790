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

quotes_compared as (
    select
        quotes.*,
        opportunities.customer_id,
        opportunities.closed_at,
        opportunities.is_won,
        coalesce(
            {{ company_date('quotes.created_at') }}
            <= {{ company_date('opportunities.closed_at') }},
            true
        ) as is_before_close
    from quotes
    left join opportunities on quotes.opportunity_id = opportunities.opportunity_id
),

-- Of several quotes of an opportunity the last before the win led to it, up to the day itself.
quotes_followed as (
    select
        customer_id,
        created_at,
        closed_at,
        coalesce(is_won, false)
        and is_before_close
        and row_number() over (
            partition by opportunity_id, is_before_close
            order by created_at desc, quote_id desc
        ) = 1 as is_converted
    from quotes_compared
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

-- Rows of a first load tell what happened after a night that lies before it.
steps_taken as (
    select
        stage,
        customer_id,
        entered_at,
        converted_at,
        is_converted
        and (converted_at is null or converted_at <= {{ as_of_end() }}) as is_converted
    from steps
    where entered_at <= {{ as_of_end() }}
),

dated as (
    select
        steps_taken.stage,
        {{ month_start(company_date('steps_taken.entered_at')) }} as month_start,
        coalesce(customers.segment, 'unknown') as segment,
        case when steps_taken.is_converted then 1 else 0 end as conversion,
        case
            when steps_taken.is_converted
                then {{ elapsed_days(
                    company_date('steps_taken.entered_at'), company_date('steps_taken.converted_at')
                ) }}
        end as days_to_convert
    from steps_taken
    left join customers_resolved on steps_taken.customer_id = customers_resolved.customer_id
    left join customers on customers_resolved.resolved_customer_id = customers.customer_id
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
