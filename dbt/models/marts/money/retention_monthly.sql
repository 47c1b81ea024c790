with

windows as (
    select * from {{ ref('int_mrr_windows') }}
),

customers_described as (
    select * from {{ ref('int_customers_described') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

ownerships as (
    {{ current_rows(ref('stg_crm__ownerships')) }}
),

employees as (
    {{ current_rows(ref('stg_crm__employees')) }}
),

window_starts as (
    select distinct window_start from windows
),

-- Segment and CSM are those of the day on which the window begins.
segments as (
    select
        customers_described.customer_id,
        window_starts.window_start,
        max(customers_described.segment) as segment
    from customers_described
    inner join window_starts
        on {{ is_described_at('customers_described', day_end('window_starts.window_start')) }}
    group by customers_described.customer_id, window_starts.window_start
),

owners as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        window_starts.window_start,
        {{ latest_owner('ownerships', 'window_starts.window_start') }} as csm_id
    from ownerships
    inner join customers_resolved on ownerships.customer_id = customers_resolved.customer_id
    inner join window_starts
        on
            ownerships.valid_from <= window_starts.window_start
            and (
                ownerships.valid_to is null or ownerships.valid_to > window_starts.window_start
            )
            and {{ is_there_at('ownerships', day_end('window_starts.window_start')) }}
    left join employees on ownerships.employee_id = employees.employee_id
    where ownerships.role = '{{ var("csm_role") }}'
    group by customers_resolved.resolved_customer_id, window_starts.window_start
),

-- At parent level a group stands for its accounts; whoever is in none stands for itself.
levelled as (
    select
        *,
        'account' as level
    from windows
    where unit_kind in ('account', 'product')
    union all
    select
        *,
        'parent' as level
    from windows
    where unit_kind = 'group' or (unit_kind = 'account' and not is_in_group)
),

segmented as (
    select
        levelled.*,
        coalesce(segments.segment, 'unknown') as customer_segment,
        coalesce({{ tier_of('12 * levelled.opening_mrr') }}, 'unknown') as tier,
        coalesce(owners.csm_id, 'unassigned') as csm_id
    from levelled
    left join segments
        on
            levelled.unit_id = segments.customer_id
            and levelled.window_start = segments.window_start
    left join owners
        on
            levelled.unit_id = owners.customer_id
            and levelled.window_start = owners.window_start
),

{% set segmentations = {
    'all': "'all'", 'segment': 'customer_segment', 'tier': 'tier', 'csm': 'csm_id',
} -%}
grouped as (
    {% for segment_by, segment in segmentations.items() %}
    select
        *,
        '{{ segment_by }}' as segment_by,
        {{ segment }} as segment
    from segmented
    where unit_kind != 'product'
    union all
    {% endfor %}
    select
        *,
        'product' as segment_by,
        product_id as segment
    from segmented
    where unit_kind = 'product'
),

summed as (
    select
        level,
        window_end,
        window_months,
        segment_by,
        segment,
        window_start,
        count(*) as customer_count,
        sum(case when is_retained then 1 else 0 end) as retained_count,
        cast(
            sum(case when closing_mrr is null then 0 else opening_mrr end) as decimal(38, 10)
        ) as opening_mrr,
        cast(sum(retained_mrr) as decimal(38, 10)) as retained_mrr,
        cast(sum(closing_mrr) as decimal(38, 10)) as closing_mrr,
        sum(case when has_returned then 0 else closing_mrr end) as closing_mrr_excluding_returns
    from grouped
    group by level, window_end, window_months, segment_by, segment, window_start
),

retention_monthly as (
    select
        level,
        window_end,
        window_months,
        segment_by,
        segment,
        window_start,
        customer_count,
        opening_mrr,
        retained_mrr,
        closing_mrr,
        {{ divide('retained_mrr', 'opening_mrr') }} as grr,
        {{ divide('closing_mrr', 'opening_mrr') }} as nrr,
        {{ divide('closing_mrr_excluding_returns', 'opening_mrr') }} as nrr_excluding_returns,
        {{ divide('retained_count', 'customer_count') }} as crr,
        {{ wilson('retained_count', 'customer_count', 'low') }} as crr_low,
        {{ wilson('retained_count', 'customer_count', 'high') }} as crr_high
    from summed
)

select * from retention_monthly
